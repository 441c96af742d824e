//! Tiny models with the inputs and the output of a Piper voice that do what no voice should. Written
//! field by field; the numbers are those of `onnx.proto3`.

const FLOAT: u64 = 1;
const INT64: u64 = 7;
const BOOL: u64 = 9;

/// A message of the format.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn with(mut self, field: u64, content: impl AsRef<[u8]>) -> Self {
        self.varint(field << 3 | 2);
        self.varint(content.as_ref().len() as u64);
        self.0.extend(content.as_ref());
        self
    }

    fn all(self, field: u64, contents: &[Message]) -> Self {
        contents
            .iter()
            .fold(self, |message, content| message.with(field, &content.0))
    }
}

/// A value of the graph: its name, its kind, and its dimensions, where 0 stands for any.
fn value(name: &str, kind: u64, dimensions: &[u64]) -> Message {
    let shape = dimensions.iter().fold(Message::default(), |shape, &size| {
        let dimension = match size {
            0 => Message::default().with(2, format!("any_{name}")),
            size => Message::default().number(1, size),
        };
        shape.with(1, dimension.0)
    });
    let tensor = Message::default().number(1, kind).with(2, shape.0);
    let kind = Message::default().with(1, tensor.0);
    Message::default().with(1, name).with(2, kind.0)
}

fn constant(name: &str, kind: u64, dimensions: &[u64], bytes: &[u8]) -> Message {
    dimensions
        .iter()
        .fold(Message::default(), |tensor, &size| tensor.number(1, size))
        .number(2, kind)
        .with(8, name)
        .with(9, bytes)
}

fn node(operation: &str, inputs: &[&str], outputs: &[&str]) -> Message {
    let node = inputs
        .iter()
        .fold(Message::default(), |node, input| node.with(1, input));
    let node = outputs
        .iter()
        .fold(node, |node, output| node.with(2, output));
    node.with(4, operation)
}

/// A node with an attribute: its name, its kind, and its own field.
fn with_attribute(node: Message, name: &str, kind: u64, field: Message) -> Message {
    let mut attribute = Message::default().with(1, name).number(20, kind);
    attribute.0.extend(field.0);
    node.with(5, attribute.0)
}

fn voice(nodes: &[Message], constants: &[Message]) -> Vec<u8> {
    let graph = Message::default()
        .all(1, nodes)
        .with(2, "voice")
        .all(5, constants)
        .all(
            11,
            &[
                value("input", INT64, &[1, 0]),
                value("input_lengths", INT64, &[1]),
                value("scales", FLOAT, &[3]),
            ],
        )
        .all(12, &[value("output", FLOAT, &[0])]);
    let operations = Message::default().with(1, "").number(2, 17);
    let model = Message::default().number(1, 9);
    model.with(7, graph.0).with(8, operations.0).0
}

/// One that asks for four terabytes of samples for each phoneme. How many there are is known only
/// when it runs.
pub fn greedy() -> Vec<u8> {
    let size = constant("size", INT64, &[1], &(1u64 << 40).to_le_bytes());
    let nodes = [
        node("Mul", &["input_lengths", "size"], &["shape"]),
        node("ConstantOfShape", &["shape"], &["output"]),
    ];
    voice(&nodes, &[size])
}

/// One that runs a loop without an end.
pub fn endless() -> Vec<u8> {
    let body = Message::default()
        .all(
            1,
            &[
                node("Identity", &["go_on"], &["still"]),
                node("Add", &["before", "before"], &["after"]),
            ],
        )
        .with(2, "body")
        .all(
            11,
            &[
                value("round", INT64, &[]),
                value("go_on", BOOL, &[]),
                value("before", FLOAT, &[3]),
            ],
        )
        .all(
            12,
            &[value("still", BOOL, &[]), value("after", FLOAT, &[3])],
        );
    let lasting = node("Loop", &["", "yes", "scales"], &["output"]);
    let lasting = with_attribute(lasting, "body", 5, Message::default().with(6, body.0));
    voice(&[lasting], &[constant("yes", BOOL, &[], &[1])])
}

/// One that divides the least whole number by -1, which has no result: the process dies where the
/// processor minds it.
pub fn crashing() -> Vec<u8> {
    let cast = node("Cast", &["quotient"], &["output"]);
    let nodes = [
        node("Sub", &["input_lengths", "input_lengths"], &["zero"]),
        node("Add", &["zero", "least"], &["dividend"]),
        node("Add", &["zero", "minus_one"], &["divisor"]),
        node("Div", &["dividend", "divisor"], &["quotient"]),
        with_attribute(cast, "to", 2, Message::default().number(3, FLOAT)),
    ];
    let number = |name, number: i64| constant(name, INT64, &[1], &number.to_le_bytes());
    voice(
        &nodes,
        &[number("least", i64::MIN), number("minus_one", -1)],
    )
}
