use super::*;
use crate::store::entry::definition;
use crate::store::entry::equality::Expected;

const DEFINITION: &str = r#"["n",["at",["x"]],["rows",["n"],1],"list","json","wide","name","names"]"#;

/// `{ n, at: { x: 1 }, rows: [{ n: 2 }, { n: 3 }], list: [4, 5], json: { é: [6] }, wide: { 日: 7 }, name: 'a', … }`
fn sample() -> Vec<u8> {
    let wide: Vec<u8> = "{\"日\":7}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let fields = [
        &[16, 17, 18, 18, 19][..],
        &[INTS8, 2, 4, 5],
        &[LATIN_JSON, 9],
        &[WIDE_JSON, 7],
        &wide,
        &[129],
        &[208, 1, 129],
    ]
    .concat();
    let mut bytes = Vec::new();
    Record { shape: 5, tail: b"{\"\xe9\":[6]}ab", fields: &fields }.write(&mut bytes).unwrap();
    bytes
}

const TEXT: &str = concat!(
    r#"{"n":0,"at":{"x":1},"rows":[{"n":2},{"n":3}],"list":[4,5],"#,
    r#""json":{"é":[6]},"wide":{"日":7},"name":"a","names":["b"]}"#
);

fn found(value: Value<'_>, pointer: &str) -> Result<Option<Spot>, Error> {
    let layout = definition::parse(DEFINITION).unwrap();
    find(value, Some(&layout), Pointer::of(pointer.as_bytes()).unwrap())
}

/// A value with another number at a pointer.
fn with(value: Value<'_>, pointer: &str, number: f64) -> Vec<u8> {
    let mut out = vec![7];
    found(value, pointer).unwrap().unwrap().write(value, number, &mut out).unwrap();
    out
}

#[test]
fn a_number_is_replaced_wherever_it_is_and_nothing_else() {
    let layout = definition::parse(DEFINITION).unwrap();
    let bytes = sample();
    let record = Value { kind: ValueKind::Shaped, bytes: &bytes };
    assert_eq!(Expected::new(Value::json(TEXT)).is(record.kind, &bytes, Some(&layout)), Ok(true));
    for (pointer, part, before) in [
        ("/n", "\"n\":0", 0),
        ("/at/x", "\"x\":1", 1),
        ("/rows/1/n", "\"n\":3", 3),
        ("/list/0", "[4", 4),
        ("/list/1", ",5", 5),
        ("/json/é/0", "[6", 6),
        ("/wide/日", "\"日\":7", 7),
    ] {
        for number in [
            -16.0,
            -17.0,
            111.0,
            112.0,
            127.0,
            128.0,
            -129.0,
            32_767.0,
            32_768.0,
            2_147_483_647.0,
            2_147_483_648.0,
            0.5,
            0.1,
            -0.0,
            9_007_199_254_740_991.0,
            1e-7,
            5e-324,
        ] {
            let text = TEXT.replacen(part, &part.replace(&before.to_string(), &json_of(number)), 1);
            assert_eq!(json_of(number).parse::<f64>(), Ok(number));
            assert_eq!(with(Value::json(TEXT), pointer, number), text.as_bytes());
            let other = with(record, pointer, number);
            let is_it = Expected::new(Value::json(&text)).is(ValueKind::Shaped, &other, Some(&layout));
            assert_eq!(is_it, Ok(true), "{pointer} {number}");
            let other = Value { kind: ValueKind::Shaped, bytes: &other };
            assert_eq!(found(other, pointer).map(|spot| spot.unwrap().number), Ok(number));
            // And back, to the last byte.
            assert_eq!(with(other, pointer, before.into()), bytes, "{pointer} {number}");
        }
    }
}

#[test]
fn what_is_not_there_is_told_from_what_is_no_number() {
    let bytes = sample();
    for value in [Value { kind: ValueKind::Shaped, bytes: &bytes }, Value::json(TEXT)] {
        for pointer in ["/other", "/at/y", "/rows/0/m", "/json/x", "/wide/x", "/json/1"] {
            assert!(found(value, pointer).unwrap().is_none(), "{pointer}");
        }
        for (pointer, noun) in [
            ("/name", "a string"),
            ("/names/0", "a string"),
            ("/at", "an object or array"),
            ("/rows", "an object or array"),
            ("/list", "an object or array"),
            ("/json", "an object or array"),
            ("/json/é", "an object or array"),
            ("/list/2", "nothing"),
            ("/list/x", "nothing"),
            ("/rows/2", "nothing"),
            ("/rows/2/n", "nothing"),
            ("/names/1", "nothing"),
            ("/none/x", "nothing"),
            ("/n/x", "nothing"),
            ("/json/é/1", "nothing"),
        ] {
            let wrong = Error::WrongKind { expected: "a number", found: noun };
            assert_eq!(found(value, pointer).map(|_| ()), Err(wrong), "{pointer} {value:?}");
        }
    }
    let none = found(Value { kind: ValueKind::Int, bytes: &[0; 4] }, "/a");
    assert!(matches!(none, Err(Error::WrongKind { expected: "an object", .. })));
    let bare = [0, 0, INTS8, 1, 5];
    let bare = Value { kind: ValueKind::Shaped, bytes: &bare };
    let at = |pointer: &[u8]| find(bare, None, Pointer::of(pointer).unwrap());
    assert_eq!(at(b"/0").map(|spot| spot.unwrap().number), Ok(5.0));
    assert!(at(b"/x").is_err());
}
