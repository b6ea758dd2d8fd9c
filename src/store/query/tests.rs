use super::*;
use crate::store::entry::definition;
use crate::store::entry::key::Key;

/// Whether a JSON text is one that a query asks for.
fn asks_for(query: &str, json: &str) -> bool {
    let mut query = Query::parse(query.as_bytes()).unwrap_or_else(|fault| panic!("{query}: {fault:?}"));
    query.matches(Key::string("user:1"), ValueKind::Json, json.as_bytes()).unwrap()
}

const ORDER: &str = r#"{"status":"open","total":42.5,"tags":["x","y\n"],"at":{"city":"Köln","zip":null},"n":[1,2]}"#;

#[test]
fn a_query_asks_for_what_its_conditions_say() {
    for (query, expected) in [
        ("{}", true),
        (r#"{"key":"user:*"}"#, true),
        (r#"{"key":"page:*"}"#, false),
        (r#"{"where":{}}"#, true),
        (r#"{"where":{"/status":"open","/total":{"gte":10,"lt":100},"/tags":{"contains":"x"}}}"#, true),
        (r#"{"where":{"/status":"open","/total":{"gte":10,"lt":42.5}}}"#, false),
        (
            r#"{"where":{"/status":{"in":["new","open"],"startsWith":"op","contains":"pe","ne":"x","exists":true}}}"#,
            true,
        ),
        (r#"{"where":{"/at":{"eq":{"zip":null,"city":"Köln"}}}}"#, true),
        (r#"{"where":{"/at":{"eq":{"city":"Köln"}}}}"#, false),
        (r#"{"where":{"/at":{"eq":{"city":"Köln","zip":null,"more":1}}}}"#, false),
        (r#"{"where":{"/tags":["x","y\n"],"/tags/1":"y\n","/n":{"contains":2},"/n/0":1}}"#, true),
        (r#"{"where":{"/tags":["y\n","x"]}}"#, false),
        (r#"{"where":{"/missing":null}}"#, false),
        (r#"{"where":{"/at/zip":null}}"#, true),
        (r#"{"where":{"/missing":{"ne":1},"not":{"/missing":{"gt":1}}}}"#, true),
        (r#"{"where":{"/missing":{"exists":false},"/total":{"exists":true}}}"#, true),
        (r#"{"where":{"or":[{"/total":1},{"/total":42.5}],"and":[{"/status":"open"},{}]}}"#, true),
        (r#"{"where":{"or":[]}}"#, false),
        (r#"{"where":{"and":[]}}"#, true),
        (r#"{"where":{"/total":{"gt":"1"}}}"#, false),
        (r#"{"where":{"/total":{"ne":"42.5"}}}"#, true),
        (r#"{"where":{"":{"exists":true}}}"#, true),
    ] {
        assert_eq!(asks_for(query, ORDER), expected, "{query}");
    }
    // By code units, as JavaScript orders them: U+FF61 comes after the surrogates of U+1F600.
    assert!(asks_for(r#"{"where":{"":{"gt":"😀"}}}"#, "\"\u{ff61}\""));
}

#[test]
fn scalars_and_values_that_no_query_has() {
    let holds = |query: &str, kind, bytes: &[u8]| {
        let mut query = Query::parse(query.as_bytes()).unwrap();
        query.matches(Key::KEYLESS, kind, bytes).unwrap()
    };
    assert!(holds(r#"{"where":{"":7}}"#, ValueKind::Int, &7_i32.to_le_bytes()));
    assert!(holds(r#"{"where":{"":{"gt":0.1}}}"#, ValueKind::Float, &0.2_f64.to_le_bytes()));
    assert!(!holds(r#"{"where":{"":{"gte":0}}}"#, ValueKind::Float, &f64::NAN.to_le_bytes()));
    assert!(holds(r#"{"where":{"":"é"}}"#, ValueKind::String, "é".as_bytes()));
    assert!(holds(r#"{"where":{"":{"startsWith":"a"}}}"#, ValueKind::Utf16, &[0x61, 0, 0, 0xd8]));
    assert!(holds(r#"{"where":{"":null}}"#, ValueKind::Null, &[]));
    assert!(holds(r#"{"where":{"":true}}"#, ValueKind::True, &[]));
    for kind in [ValueKind::Undefined, ValueKind::BigInt, ValueKind::Buffer] {
        assert!(holds(r#"{"where":{"":{"ne":1,"exists":true}}}"#, kind, &[0, 1]));
        assert!(!holds(r#"{"where":{"":{"in":[null,1]}}}"#, kind, &[0, 1]));
    }
}

#[test]
fn a_number_is_the_one_that_its_text_says() {
    let mut number = 0.1_f64;
    for _ in 0..2_000 {
        number = (number * 1_103.0 + 0.7).fract() * 10_f64.powi((number * 600.0) as i32 - 300);
        let mut query = Query::parse(format!(r#"{{"where":{{"":{number:e}}}}}"#).as_bytes()).unwrap();
        let bytes = number.to_le_bytes();
        assert_eq!(query.matches(Key::KEYLESS, ValueKind::Float, &bytes), Ok(true), "{number:e}");
        number = number.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) as f64 / u64::MAX as f64;
    }
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let deep = |depth: usize| format!(r#"{{"where":{{"/a":{}{}}}}}"#, "[".repeat(depth), "]".repeat(depth));
    let many = |count: usize| format!(r#"{{"where":{{"and":[{}]}}}}"#, vec![r#"{"/a":1}"#; count].join(","));
    let steps = |count: usize| format!(r#"{{"where":{{"{}":1}}}}"#, "/a".repeat(count));
    for (query, at) in [
        ("", ""),
        ("[]", ""),
        (r#"{"a":1}"#, "/a"),
        (r#"{"key":1}"#, "/key"),
        (r#"{"where":1}"#, "/where"),
        (r#"{"where":{"status":1}}"#, "/where/status"),
        (r#"{"where":{"/a~2":1}}"#, "/where/~1a~02"),
        (r#"{"where":{"/a":{}}}"#, "/where/~1a"),
        (r#"{"where":{"/a":{"like":1}}}"#, "/where/~1a/like"),
        (r#"{"where":{"/a":{"gt":null}}}"#, "/where/~1a/gt"),
        (r#"{"where":{"/a":{"in":1}}}"#, "/where/~1a/in"),
        (r#"{"where":{"/a":{"startsWith":1}}}"#, "/where/~1a/startsWith"),
        (r#"{"where":{"/a":{"exists":1}}}"#, "/where/~1a/exists"),
        (r#"{"where":{"or":{}}}"#, "/where/or"),
        (r#"{"where":{"or":[{},{"and":[1]}]}}"#, "/where/or/1/and/0"),
        (r#"{"where":{"not":[]}}"#, "/where/not"),
        (r#"{"where":{"/a":"\ud800"}}"#, ""),
    ] {
        let Err(NoQuery::Fault(fault)) = Query::parse(query.as_bytes()) else { panic!("{query}") };
        assert_eq!(fault.at, at, "{query}");
    }
    assert!(
        Query::parse(deep(MAX_DEPTH - 2).as_bytes()).is_ok() && Query::parse(deep(MAX_DEPTH - 1).as_bytes()).is_err()
    );
    assert!(Query::parse(many(MAX_CONDITIONS - 1).as_bytes()).is_ok());
    assert!(Query::parse(many(MAX_CONDITIONS).as_bytes()).is_err());
    assert!(Query::parse(steps(64).as_bytes()).is_ok() && Query::parse(steps(65).as_bytes()).is_err());
    let long = |bytes: usize| format!(r#"{{"where":{{"/a":"{}"}}}}"#, "x".repeat(bytes - 19));
    assert!(Query::parse(long(MAX_QUERY_BYTES).as_bytes()).is_ok());
    assert!(Query::parse(long(MAX_QUERY_BYTES + 1).as_bytes()).is_err());
}

#[test]
fn a_record_of_an_unknown_shape_and_bytes_that_are_none_are_said() {
    let mut query = Query::parse(br#"{"where":{"/a":1}}"#).unwrap();
    let ask = |query: &mut Query, bytes: &[u8]| query.matches(Key::string("k"), ValueKind::Shaped, bytes);
    assert_eq!(ask(&mut query, &[5, 0, 17]), Err(Unread::Shape(5)));
    query.learn(5, definition::parse(r#"["a"]"#).unwrap());
    assert_eq!(ask(&mut query, &[5, 0, 17]), Ok(true));
    assert_eq!(ask(&mut query, &[5, 0, 18]), Ok(false));
    for broken in [&[][..], &[5], &[5, 9, 17], &[5, 0]] {
        assert_eq!(ask(&mut query, broken), Err(Unread::Malformed), "{broken:?}");
    }
    let json = query.matches(Key::string("k"), ValueKind::Json, b"{\"a\":");
    assert_eq!(json, Err(Unread::Malformed));
}

#[test]
fn each_record_is_looked_at_as_its_shape_says() {
    let mut query = Query::parse(br#"{"where":{"/a":{"gt":1},"/o/b":{"ne":9}}}"#).unwrap();
    // The small integers 0 to 4 are tags from 16 on.
    for (number, shape) in [(9, r#"["b","a"]"#), (5, r#"["a","b"]"#), (7, r#"["b"]"#), (6, r#"[["o",["c"]],"a"]"#)] {
        query.learn(number, definition::parse(shape).unwrap());
    }
    let mut ask = |bytes: &[u8]| query.matches(Key::KEYLESS, ValueKind::Shaped, bytes);
    for _ in 0..2 {
        assert_eq!(ask(&[5, 0, 18, 16]), Ok(true), "a before b");
        assert_eq!(ask(&[9, 0, 18, 16]), Ok(false), "b before a");
        assert_eq!(ask(&[9, 0, 16, 18]), Ok(true), "b before a");
        assert_eq!(ask(&[7, 0, 18]), Ok(false), "no a");
        assert_eq!(ask(&[6, 0, 16, 18]), Ok(true), "a behind an object");
        assert_eq!(ask(&[5, 0, 18, 16]), Ok(true), "a before b again");
        assert_eq!(ask(&[8, 0, 18, 16]), Err(Unread::Shape(8)));
    }
    query.forget_shapes();
    assert_eq!(query.matches(Key::KEYLESS, ValueKind::Shaped, &[5, 0, 18, 16]), Err(Unread::Shape(5)));
}

#[test]
fn parts_of_texts_are_found_in_linear_time() {
    let text = "\u{100}".repeat(200_000);
    let part = format!("{}x", "\u{100}".repeat(30_000));
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut query = Query::parse(format!(r#"{{"where":{{"":{{"contains":"{part}"}}}}}}"#).as_bytes()).unwrap();
    assert_eq!(query.matches(Key::KEYLESS, ValueKind::Utf16, &units), Ok(false));
    let mut query = Query::parse(r#"{"where":{"":{"contains":"ĀĀ"}}}"#.as_bytes()).unwrap();
    assert_eq!(query.matches(Key::KEYLESS, ValueKind::Utf16, &units), Ok(true));
    // U+0100 twice is 00 01 00 01; the bytes of U+0001 lie within.
    let mut query = Query::parse(r#"{"where":{"":{"contains":"\u0001"}}}"#.as_bytes()).unwrap();
    assert_eq!(query.matches(Key::KEYLESS, ValueKind::Utf16, &units), Ok(false));
}
