//! Reads a stream of events as it arrives, piece by piece.

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// What to name to go on behind it.
    pub id: Option<String>,
    /// What kind it is: `snapshot`, `delta`, `reset` or `bye`.
    pub event: String,
    /// What it says, as JSON.
    pub data: String,
}

/// The part of a stream that has arrived.
#[derive(Debug, Default)]
pub(super) struct Parser {
    /// A line that has not ended.
    line: Vec<u8>,
    /// Whether the last line ended with a carriage return: a line feed then is part of its end.
    after_return: bool,
    event: ServerEvent,
}

impl Parser {
    /// How much is kept of what has not ended.
    pub(super) fn held(&self) -> usize {
        self.line.len() + self.event.data.len()
    }

    /// The events that end in this piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Vec<ServerEvent> {
        let mut events = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let is_second_half = self.after_return && end == 0 && rest[0] == b'\n';
            self.after_return = rest[end] == b'\r';
            if !is_second_half {
                self.line.extend_from_slice(&rest[..end]);
                let line = std::mem::take(&mut self.line);
                events.extend(self.end_line(&String::from_utf8_lossy(&line)));
            }
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            self.after_return = false;
        }
        self.line.extend_from_slice(rest);
        events
    }

    fn end_line(&mut self, line: &str) -> Option<ServerEvent> {
        if line.is_empty() {
            let mut event = std::mem::take(&mut self.event);
            // What says nothing is no event.
            return event.data.pop().map(|_| event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.event.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event.event),
            "data" => {
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            // A comment, or what a later server says.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "retry: 1000\n\nid: a-1\nevent: delta\ndata: {\"ä\":\ndata:  1}\n\n: keep-alive\n\n\
        event: bye\r\ndata\r\n\r\nevent: half\ndata: unfinished";

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let whole = Parser::default().take(STREAM.as_bytes());
        assert_eq!(whole.len(), 2);
        assert_eq!(whole[0].id.as_deref(), Some("a-1"));
        assert_eq!(
            (&*whole[0].event, &*whole[0].data),
            ("delta", "{\"ä\":\n 1}")
        );
        assert_eq!((&*whole[1].event, &*whole[1].data), ("bye", ""));
        for size in 1..STREAM.len() {
            let mut parser = Parser::default();
            let pieces = STREAM.as_bytes().chunks(size);
            let events: Vec<_> = pieces.flat_map(|piece| parser.take(piece)).collect();
            assert_eq!(events, whole, "pieces of {size}");
            assert_eq!(parser.held(), "data: unfinished".len());
        }
    }
}
