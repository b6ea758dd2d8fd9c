use super::*;
use crate::store::entry::definition;
use crate::store::entry::record::Record;
use crate::store::platform::fallible::failures;

/// Whether a JSON text equals another, each made ready once.
fn is(one: &str, other: &str) -> bool {
    let ways = [(one, other), (other, one)].map(|(expected, value)| {
        let pattern = Pattern::of_json(expected.as_bytes()).unwrap();
        pattern.is(&View::of_json(value.as_bytes()).unwrap()).unwrap()
    });
    assert_eq!(ways[0], ways[1], "{one} {other}");
    ways[0]
}

/// Whether a record equals a JSON text.
fn record_is(definition: &str, tail: &[u8], fields: &[u8], json: &str) -> bool {
    let layout = definition::parse(definition).unwrap();
    let mut bytes = Vec::new();
    Record { shape: 5, tail, fields }.write(&mut bytes).unwrap();
    Expected::new(Value::json(json)).is(ValueKind::Shaped, &bytes, Some(&layout)).unwrap()
}

#[test]
fn texts_are_equal_as_values_of_json_are() {
    for (one, other, expected) in [
        ("1", "1.0", true),
        ("100", "1e2", true),
        ("0", "-0", true),
        ("1", "2", false),
        ("1", "\"1\"", false),
        ("1", "true", false),
        ("null", "false", false),
        ("null", "{}", false),
        ("[]", "{}", false),
        ("[]", "[]", true),
        ("[]", "[null]", false),
        ("[1,2]", "[2,1]", false),
        ("[1,2]", "[1]", false),
        ("{}", "{ }", true),
        (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, true),
        (r#"{"a":1,"b":2}"#, r#"{"b":2}"#, false),
        (r#"{"a":1}"#, r#"{"b":1}"#, false),
        (r#"{"a":1}"#, r#"{"a":2}"#, false),
        (r#"{"a":null}"#, "{}", false),
        (r#"{"a":{"b":[{"c":1,"d":[]}]}}"#, r#"{"a":{"b":[{"d":[],"c":1}]}}"#, true),
        (r#"{"a":{"b":[{"c":1,"d":[]}]}}"#, r#"{"a":{"b":[{"d":{},"c":1}]}}"#, false),
        (r#"{"a":[1,[2]],"b":3}"#, r#"{"b":3,"a":[1,[2]]}"#, true),
        (r#"{"a":[1,[2]],"b":3}"#, r#"{"b":3,"a":[[1],2]}"#, false),
        (r#"{"\u0061\"":"\ud83d\ude00"}"#, r#"{"a\"":"😀"}"#, true),
        (r#"["\ud800"]"#, r#"["\ud801"]"#, false),
        (r#"{"\ud800":1}"#, r#"{"\ud800":1}"#, true),
    ] {
        assert_eq!(is(one, other), expected, "{one} {other}");
    }
}

#[test]
fn members_of_a_wide_object_are_found_in_any_order() {
    let names = ["", "x", "é", "日", "😀", "\u{ff61}", "\\ud800", "\\ud801"];
    let member = |at: usize| format!("\"{}{}\":{at}", names[at % names.len()], at / names.len());
    let text = |at: &mut dyn Iterator<Item = usize>| format!("{{{}}}", at.map(member).collect::<Vec<_>>().join(","));
    let forward = text(&mut (0..1_000));
    assert!(is(&forward, &text(&mut (0..1_000).rev())));
    assert!(!is(&forward, &text(&mut (1..1_001).rev())));
    assert!(!is(&forward, &text(&mut (0..999).rev())));
}

#[test]
fn a_record_equals_what_it_is_read_as() {
    let definition = r#"["id",["at",["x","y"]],["rows",["n"],1],"list","names","more","\ud800"]"#;
    let tail = b"ab\xfc[1]";
    let fields = [
        &[23][..],                   // 7
        &[193, 196, 0, 0, 1, 0],     // false, 65536
        &[18, 17, 18],               // two rows: 1, 2
        &[204, 2, 1, 0, 0xff, 0xff], // 1, -1
        &[208, 2, 130, 129],         // "ab", "ü"
        &[201, 3],                   // [1]
        &[192],                      // null
    ]
    .concat();
    let same = concat!(
        r#"{"names":["ab","ü"],"list":[1,-1],"\ud800":null,"at":{"y":65536,"x":false},"#,
        r#""more":[1],"id":7,"rows":[{"n":1},{"n":2}]}"#
    );
    assert!(record_is(definition, tail, &fields, same));
    for (part, other) in [
        ("\"ü\"", "\"u\""),
        ("[1,-1]", "[1]"),
        ("[1,-1]", "[1,1]"),
        ("[1,-1]", "[1,\"-1\"]"),
        ("[1,-1]", "{}"),
        ("[\"ab\",\"ü\"]", "[\"ab\"]"),
        ("\\ud800", "\\ud801"),
        ("null", "0"),
        ("65536", "65537"),
        ("\"x\":false", "\"z\":false"),
        ("\"x\":false", "\"x\":false,\"z\":1"),
        (",\"x\":false", ""),
        ("[1]", "[[1]]"),
        ("{\"n\":2}", "{\"n\":2},{\"n\":3}"),
        (",{\"n\":2}", ""),
        ("{\"n\":2}", "{\"m\":2}"),
        ("{\"n\":2}", "2"),
        ("\"id\":7,", ""),
    ] {
        assert!(same.contains(part));
        assert!(!record_is(definition, tail, &fields, &same.replace(part, other)), "{part} {other}");
    }
}

#[test]
fn values_of_other_kinds_equal_their_like() {
    let float = |number: f64| (ValueKind::Float, number.to_le_bytes().to_vec());
    let int = |number: i32| (ValueKind::Int, number.to_le_bytes().to_vec());
    let all = [
        (ValueKind::Undefined, vec![]),
        (ValueKind::Null, vec![]),
        (ValueKind::False, vec![]),
        (ValueKind::True, vec![]),
        int(0),
        int(1),
        float(f64::NAN),
        float(0.5),
        (ValueKind::String, b"1".to_vec()),
        (ValueKind::Utf16, vec![0x00, 0xd8]),
        (ValueKind::Utf16, vec![0x01, 0xd8]),
        (ValueKind::BigInt, vec![0, 1, 0, 0, 0, 0, 0, 0, 0]),
        (ValueKind::BigInt, vec![1, 1, 0, 0, 0, 0, 0, 0, 0]),
        (ValueKind::Json, b"[1]".to_vec()),
        (ValueKind::Json, b"{}".to_vec()),
        (ValueKind::Uint8Array, b"[1]".to_vec()),
        (ValueKind::Buffer, b"[1]".to_vec()),
        (ValueKind::Buffer, vec![]),
    ];
    let is = |(kind, bytes): &(ValueKind, Vec<u8>), (other, content): &(ValueKind, Vec<u8>)| {
        Expected::new(Value { kind: *kind, bytes }).is(*other, content, None).unwrap()
    };
    for (at, one) in all.iter().enumerate() {
        for (place, other) in all.iter().enumerate() {
            assert_eq!(is(one, other), at == place, "{one:?} {other:?}");
        }
    }
    // What JSON writes as a text of its own is what it is read as.
    for (one, json) in
        [(int(1), "1"), (float(0.5), "0.5"), (float(-0.0), "0"), ((ValueKind::String, b"1".to_vec()), "\"1\"")]
    {
        let json = (ValueKind::Json, json.as_bytes().to_vec());
        assert!(is(&one, &json) && is(&json, &one), "{one:?} {json:?}");
    }
    assert!(is(&float(-0.0), &int(0)) && is(&int(0), &float(-0.0)));
    assert!(is(&float(f64::NAN), &float(-f64::NAN)));
}

#[test]
fn depth_takes_no_stack_and_no_more_time() {
    let deep = |inner: &str| format!("{}{inner}{}", r#"{"b":0,"a":["#.repeat(20_000), "]}".repeat(20_000));
    let turned = |inner: &str| format!("{}{inner}{}", r#"{"a":["#.repeat(20_000), r#"],"b":0}"#.repeat(20_000));
    assert!(is(&deep("1"), &turned("1")));
    assert!(!is(&deep("1"), &turned("2")));
}

#[test]
fn text_that_is_not_json_is_an_error() {
    for text in ["", "[", "{\"a\":1", "[1 1]", "{\"a\"}", "x"] {
        assert!(Pattern::of_json(text.as_bytes()).is_err(), "{text}");
        if matches!(text.as_bytes().first(), Some(b'[' | b'{')) {
            let pattern = Pattern::of_json(b"[1,1]").unwrap();
            assert!(!matches!(pattern.is(&View::Json(text.as_bytes())), Ok(true)), "{text}");
        }
    }
}

#[test]
fn refused_memory_is_an_error_and_not_a_difference() {
    let text = r#"{"a":[1,{"b":"\n"}],"c":{"d":[]}}"#;
    for refused in 1.. {
        let (answer, was_refused) = failures::refuse_nth(refused, || {
            Expected::new(Value::json(text)).is(ValueKind::Json, format!("{text} ").as_bytes(), None)
        });
        if !was_refused {
            assert_eq!(answer, Ok(true));
            return;
        }
        assert!(matches!(answer, Err(Error::OutOfMemory { .. })), "{answer:?}");
    }
}
