use super::route::{Route, field_behind, number_behind};
use super::*;

fn member(name: &str, content: Content) -> Member {
    Member { name: Name::Utf8(name.as_bytes().into()), content }
}

fn field(name: &str) -> Member {
    member(name, Content::Field)
}

/// `{ host, at: { x, y }, rows: [{ id, tags }], list }`, and an object without members.
fn layout() -> Layout {
    Layout::new(vec![
        field("host"),
        member("at", Content::Object(Layout::new(vec![field("x"), field("y")]))),
        member("none", Content::Object(Layout::new(vec![]))),
        member("rows", Content::Rows(Layout::new(vec![field("id"), field("tags")]))),
        field("list"),
    ])
}

/// `{ host: 'ab', at: { x: 1, y: true }, none: {}, rows: [{ id: 7, tags: ['c', 'd'] }, { id: 8, tags: [] }],
/// list: [1, 300] }`
const RECORD: &[u8] = &[
    1, 4, b'a', b'b', b'c', b'd', // shape and tail
    130, 17, 194, // host, x, y
    18, 23, 208, 2, 129, 129, 24, 208, 0, // two rows
    204, 2, 1, 0, 44, 1, // list
];

fn at<'a>(record: &'a [u8], pointer: &'static str) -> Result<Place<'a, 'static, 'static>, Malformed> {
    let record = Record::split(record).ok_or(Malformed)?;
    find(&record, Some(Box::leak(Box::new(layout()))), Pointer::of(pointer.as_bytes()).unwrap())
}

fn latin(text: &str) -> Place<'_, 'static, 'static> {
    Place::Field(Field::String(Text::Latin(text.as_bytes())))
}

#[test]
fn a_field_is_found_behind_others() {
    let int = |number| Ok(Place::Field(Field::Int(number)));
    let float = |number| Ok(Place::Field(Field::Float(number)));
    assert_eq!(at(RECORD, "/host"), Ok(latin("ab")));
    assert_eq!(at(RECORD, "/at/x"), int(1));
    assert_eq!(at(RECORD, "/at/y"), Ok(Place::Field(Field::Boolean(true))));
    assert_eq!(at(RECORD, "/rows/0/id"), int(7));
    assert_eq!(at(RECORD, "/rows/1/id"), int(8));
    assert_eq!(at(RECORD, "/rows/0/tags/1"), Ok(latin("d")));
    assert_eq!(at(RECORD, "/list/1"), float(300.0));
}

#[test]
fn a_pointer_that_leads_nowhere_finds_nothing() {
    for pointer in [
        "/",
        "/hos",
        "/host/0",
        "/host/length",
        "/at/z",
        "/at/x/0",
        "/none/a",
        "/rows/2",
        "/rows/-",
        "/rows/00",
        "/rows/id",
        "/rows/0/tags/2",
        "/rows/0/tags/0/0",
        "/list/2",
        "/list/-1",
        "/list/1/0",
        "/list/length",
    ] {
        assert_eq!(at(RECORD, pointer), Ok(Place::Nothing), "{pointer}");
    }
}

/// Every pointer into the layout that leads somewhere in all records, and what it leads to.
const ROUTES: [(&str, Route); 9] = [
    ("/host", Route::Field(0)),
    ("/at/x", Route::Field(1)),
    ("/at/y", Route::Field(2)),
    ("/hos", Route::Nothing),
    ("/at/z", Route::Nothing),
    ("/none/a", Route::Nothing),
    ("/rows", Route::Varying),
    ("/at", Route::Varying),
    ("/list", Route::Varying),
];

#[test]
fn a_way_to_a_field_is_found_once_for_all_records() {
    for (pointer, route) in ROUTES {
        assert_eq!(layout().route(Pointer::of(pointer.as_bytes()).unwrap()), route, "{pointer}");
    }
    for pointer in ["", "/host/0", "/rows/0/id", "/list/1"] {
        assert_eq!(layout().route(Pointer::of(pointer.as_bytes()).unwrap()), Route::Varying, "{pointer}");
    }
    let empty = Layout::new(vec![member("none", Content::Object(Layout::new(vec![]))), field("a")]);
    assert_eq!(empty.route(Pointer::of(b"/a").unwrap()), Route::Field(0));
}

#[test]
fn a_number_is_found_behind_other_fields() {
    let mut bytes = vec![1, 3, b'a', b'b', b'c'];
    let mut numbers = Vec::new();
    let mut put = |field: &[u8], number: Option<f64>| {
        bytes.extend(field);
        numbers.push(number);
    };
    put(&[17], Some(1.0));
    put(&[130], None);
    put(&[195, 0x00, 0x80], Some(-32_768.0));
    put(&[192], None);
    put(&[196, 0, 0, 1, 0], Some(65_536.0));
    put(&[129], None);
    put(&[&[197][..], &1.5_f32.to_le_bytes()].concat(), Some(1.5));
    put(&[193], None);
    put(&[&[198][..], &(-0.1_f64).to_le_bytes()].concat(), Some(-0.1));
    put(&[203, 1, 5], None);
    put(&[20], None);
    let record = Record::split(&bytes).unwrap();
    for (others, number) in numbers.iter().enumerate() {
        assert_eq!(number_behind(&record, others), *number, "behind {others}");
    }
    assert_eq!(number_behind(&record, numbers.len()), None, "behind the last one");
    assert_eq!(number_behind(&Record::split(&[1, 1, b'a', 130, 17]).unwrap(), 1), None, "a text beyond the tail");
}

#[test]
fn a_part_is_its_own_texts_and_fields() {
    let is = |pointer, tail: &'static str, fields, are_rows| match at(RECORD, pointer) {
        Ok(Place::Part(part, of)) => {
            assert_eq!(part, Cursor { tail: tail.as_bytes(), fields }, "{pointer}");
            assert_eq!(matches!(of, Part::Rows(_)), are_rows, "{pointer}");
        }
        other => panic!("{pointer}: {other:?}"),
    };
    is("/at", "", &[17, 194][..], false);
    is("/none", "", &[], false);
    is("/rows", "cd", &[18, 23, 208, 2, 129, 129, 24, 208, 0], true);
    is("/rows/0", "cd", &[23, 208, 2, 129, 129], false);
    is("/rows/1", "", &[24, 208, 0], false);
    is("", "abcd", &RECORD[6..], false);
    let Ok(Place::Field(Field::Strings(tags))) = at(RECORD, "/rows/0/tags") else { panic!("no strings") };
    assert_eq!(tags, Cursor { tail: b"cd", fields: &[208, 2, 129, 129] });
    let Ok(Place::Field(Field::Numbers(numbers, list))) = at(RECORD, "/list") else { panic!("no numbers") };
    assert_eq!((numbers.len(), list.fields), (2, &RECORD[RECORD.len() - 6..]));
}

#[test]
fn json_text_is_entered_with_the_rest_of_the_pointer() {
    let layout = Layout::new(vec![field("a")]);
    let record = Record::split(&[1, 2, b'{', b'}', 201, 2]).unwrap();
    let found = find(&record, Some(&layout), Pointer::of(b"/a/b/c").unwrap());
    assert_eq!(found, Ok(Place::Within(Text::Latin(b"{}"), Pointer::of(b"/b/c").unwrap())));
}

#[test]
fn every_form_of_numbers_is_read() {
    let forms: [(u8, Vec<u8>); 5] = [
        (203, vec![254, 3]),
        (204, [(-2_i16).to_le_bytes(), 3_i16.to_le_bytes()].concat()),
        (205, [(-2_i32).to_le_bytes(), 3_i32.to_le_bytes()].concat()),
        (206, [(-2_f32).to_le_bytes(), 3_f32.to_le_bytes()].concat()),
        (207, [(-2_f64).to_le_bytes(), 3_f64.to_le_bytes()].concat()),
    ];
    for (tag, content) in forms {
        let bytes = [&[0, 0, tag, 2][..], &content].concat();
        let record = Record::split(&bytes).unwrap();
        let Ok(Place::Field(Field::Numbers(numbers, _))) = find(&record, None, Pointer::of(b"").unwrap()) else {
            panic!("no numbers of {tag}");
        };
        let mut all = [0; 16];
        numbers.write(&mut all, f64::to_ne_bytes);
        assert_eq!(all.as_chunks().0, [(-2_f64).to_ne_bytes(), 3_f64.to_ne_bytes()], "{tag}");
    }
}

#[test]
fn what_ends_too_early_is_malformed() {
    for end in 6..RECORD.len() {
        assert_eq!(at(&RECORD[..end], "/list"), Err(Malformed), "{end}");
    }
    let bare = |bytes: &[u8]| find(&Record::split(bytes).unwrap(), None, Pointer::of(b"").unwrap()).is_err();
    assert!(bare(&[0, 0, 208, 1, 208, 1, 129]), "strings within strings");
    assert!(bare(&[0, 0, 209]), "an unknown tag");
    assert!(bare(&[0, 1, b'a', 130]), "a text beyond the tail");
    assert!(bare(&[0, 0, 207, 0xff, 0xff, 0xff, 0xff, 0x0f]), "more numbers than bytes");
}

#[test]
fn objects_without_fields_are_passed_over_in_one_step() {
    let empty = || Content::Object(Layout::new(vec![member("c", Content::Object(Layout::new(vec![])))]));
    let inner = Layout::new(vec![member("b", Content::Rows(Layout::new(vec![member("e", empty())])))]);
    let layout = Layout::new(vec![member("a", Content::Rows(inner)), field("z")]);
    let mut bytes = vec![1, 0, 195, 0x10, 0x27];
    (0..10_000).for_each(|_| bytes.extend([196, 0, 0, 1, 0]));
    bytes.push(20);
    let record = Record::split(&bytes).unwrap();
    assert_eq!(find(&record, Some(&layout), Pointer::of(b"/z").unwrap()), Ok(Place::Field(Field::Int(4))));
    // One row more than there may be.
    let bytes = [1, 0, 196, 1, 0, 1, 0, 20];
    let layout = Layout::new(vec![member("a", Content::Rows(Layout::new(vec![]))), field("z")]);
    assert_eq!(find(&Record::split(&bytes).unwrap(), Some(&layout), Pointer::of(b"/z").unwrap()), Err(Malformed));
}

#[test]
fn random_bytes_lead_somewhere_or_are_malformed() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    for _ in 0..50_000 {
        let mut bytes = RECORD.to_vec();
        for _ in 0..=random() % 4 {
            let at = usize::from(random()) % bytes.len();
            bytes[at] = random();
        }
        if let Some(Record { tail, fields, .. }) = Record::split(&bytes) {
            let (mut taken, mut skipped) = (Cursor { tail, fields }, Cursor { tail, fields });
            while taken.take().is_ok() {
                assert_eq!(skipped.skip_field(), Ok(()));
                assert_eq!(taken, skipped);
            }
            assert_eq!(skipped.skip_field(), Err(Malformed));
        }
        if let Some(record) = Record::split(&bytes) {
            for (pointer, route) in ROUTES {
                let Route::Field(others) = route else { continue };
                let found = at(&bytes, pointer);
                assert_eq!(field_behind(&record, others).map(Place::Field), found);
                if let Some(number) = number_behind(&record, others) {
                    let is_it = match found {
                        Ok(Place::Field(Field::Int(int))) => f64::from(int).to_bits() == number.to_bits(),
                        Ok(Place::Field(Field::Float(float))) => float.to_bits() == number.to_bits(),
                        _ => false,
                    };
                    assert!(is_it, "{pointer} in {bytes:?} is {found:?}, not {number}");
                }
            }
        }
        for pointer in ["", "/rows/1/tags", "/list/1", "/rows/0", "/at/y"] {
            // Only that it returns is checked.
            let _found = at(&bytes, pointer).is_ok();
        }
    }
}
