//! The OpenAPI document beside the server.

use super::*;

#[test]
fn the_document_tells_every_address_with_its_methods_and_nothing_else() {
    let served = Served::with(Home::empty(), ServerOptions::default());
    let document = served.ok("/v1/openapi.json");
    assert_eq!(document["info"]["version"], API.to_string());
    let paths = document["paths"].as_object().unwrap();
    let told: BTreeSet<_> = paths.keys().map(String::as_str).collect();
    assert_eq!(told, addresses());
    let mut ids = BTreeSet::new();
    for (path, methods) in paths {
        let methods = methods.as_object().unwrap();
        let allowed = match methods.keys().map(String::as_str).collect::<Vec<_>>()[..] {
            ["get"] => "GET, HEAD",
            ["post"] => "POST",
            ["get", "post"] => "GET, HEAD, POST",
            ref others => panic!("{path}: {others:?}"),
        };
        let address = path.replace("{n}", "1").replace("{id}", "a");
        let address = address.replace("{name}", "a");
        let answer = served.raw(&format!(
            "PUT {address} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ));
        assert!(answer.starts_with("HTTP/1.1 405 "), "{path}: {answer}");
        let allow = answer.lines().find_map(|line| line.strip_prefix("allow: "));
        assert_eq!(allow, Some(allowed), "{path}");
        for operation in methods.values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "two are called {id}");
        }
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere_and_every_part_is_used() {
    fn gather(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
            Value::Object(fields) => {
                let reference = fields.get("$ref").and_then(Value::as_str);
                found.extend(reference.map(str::to_owned));
                fields.values().for_each(|value| gather(value, found));
            }
            _ => {}
        }
    }
    let document: Value =
        serde_json::from_str(include_str!("../../src/http/openapi.json")).unwrap();
    let mut used = BTreeSet::new();
    gather(&document, &mut used);
    let mut parts = BTreeSet::new();
    for kind in ["parameters", "responses", "schemas"] {
        let names = document["components"][kind].as_object().unwrap().keys();
        parts.extend(names.map(|name| format!("#/components/{kind}/{name}")));
    }
    assert_eq!(used, parts);
}

/// Every name of an address: the compiler asks for one for each thing that can be looked at or asked for,
/// and all of them are written there. The page's are no part of the interface.
fn addresses() -> BTreeSet<&'static str> {
    let source = include_str!("../../src/http/pattern.rs");
    let literals = source.split('"').skip(1).step_by(2);
    literals
        .filter(|text| text.starts_with('/') && *text != "/")
        .collect()
}
