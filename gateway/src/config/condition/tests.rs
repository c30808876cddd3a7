//! What is read, what is refused, and the laws of judging.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[derive(Debug)]
struct Request(BTreeMap<&'static str, Json>);

impl Facts for Request {
    fn fact(&self, path: &str) -> Option<Json> {
        self.0.get(path).cloned()
    }
}

fn request() -> Request {
    Request(BTreeMap::from([
        ("model", json!("gpt-4o-mini")),
        ("stream", json!(true)),
        ("max_tokens", json!(100)),
        ("temperature", json!(0.5)),
        ("user", json!("42")),
        ("metadata.tier", json!("pro")),
        ("metadata.seats", json!(7)),
        ("metadata.beta", json!(false)),
        ("metadata.gone", json!(null)),
    ]))
}

fn condition(written: Json) -> Condition {
    read(&written).unwrap_or_else(|mistakes| panic!("{written}: {mistakes:?}"))
}

fn holds(written: Json) -> bool {
    condition(written).holds(&request())
}

fn mistakes(written: Json) -> Vec<String> {
    let mistakes = read(&written).expect_err(&written.to_string());
    mistakes.into_iter().map(|(at, message)| format!("{at}: {message}")).collect()
}

#[test]
fn one_condition_has_many_spellings() {
    let wanted = condition(json!({"field": "metadata.tier", "op": "$eq", "value": "pro"}));
    assert_eq!(wanted, Condition::Test { field: "metadata.tier".into(), test: Test::Equal(json!("pro")) });
    for written in [
        json!({"field": "metadata.tier", "op": "eq", "value": "pro"}),
        json!({"field": "metadata.tier", "op": "==", "value": "pro"}),
        json!({"field": "metadata.tier", "value": "pro"}),
        json!({"metadata.tier": {"$eq": "pro"}}),
        json!({"metadata.tier": "pro"}),
    ] {
        assert_eq!(condition(written), wanted);
    }
    for word in ["$startsWith", "startsWith", "starts_with", "STARTSWITH", "$starts_with"] {
        assert!(holds(json!({"field": "model", "op": word, "value": "gpt-"})), "{word}");
    }
    for (one, other) in [("$and", "all"), ("$or", "any"), ("$nor", "none")] {
        let list = json!([{"model": "x"}, {"stream": true}]);
        assert_eq!(condition(json!({one: list})), condition(json!({other: list})));
    }
}

#[test]
fn every_operator_judges() {
    for (written, expected) in [
        (json!({"metadata.tier": {"$ne": "free"}}), true),
        (json!({"metadata.none": {"$ne": "free"}}), true),
        (json!({"metadata.seats": {"$gt": 6, "$lte": 7}}), true),
        (json!({"metadata.seats": {"$gt": 7}}), false),
        (json!({"metadata.seats": {"$gte": 7.0}}), true),
        (json!({"metadata.seats": 7.0}), true),
        (json!({"metadata.seats": "7"}), false),
        (json!({"metadata.seats": {"$lt": "9"}}), false),
        (json!({"metadata.beta": false}), true),
        (json!({"metadata.beta": 0}), false),
        (json!({"temperature": {"$lt": 1}}), true),
        (json!({"metadata.tier": {"$in": ["team", "pro"]}}), true),
        (json!({"metadata.tier": {"not_in": ["team", "pro"]}}), false),
        (json!({"metadata.tier": {"$gt": "free"}}), true),
        (json!({"metadata.tier": {"$exists": true}}), true),
        (json!({"metadata.none": {"$exists": false}}), true),
        (json!({"metadata.gone": {"$exists": true}}), false),
        (json!({"metadata.none": {"$lt": 5}}), false),
        (json!({"model": {"$contains": "4o"}}), true),
        (json!({"model": {"$endsWith": "-mini"}}), true),
        (json!({"model": {"$glob": "gpt-*-m?ni"}}), true),
        (json!({"model": {"$glob": "gpt-*-max"}}), false),
        (json!({"model": {"$regex": "^(gpt|o)-?\\d"}}), true),
        (json!({"model": {"$not": {"$regex": "(?i)GPT"}}}), false),
        (json!({"user": 42}), true),
        (json!({"stream": true, "max_tokens": {"$lt": 50}}), false),
        (json!({"$or": [{"stream": false}, {"$and": [{"stream": true}, {"not": {"model": "x"}}]}]}), true),
        (json!({"$nor": [{"stream": false}, {"model": "x"}]}), true),
    ] {
        assert_eq!(holds(written.clone()), expected, "{written}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    for (written, told) in [
        (json!({}), ": says nothing"),
        (json!([]), ": expected a mapping such as `{field: …, op: …, value: …}`"),
        (json!({"modle": "x"}), "modle: unknown field (did you mean `model`?)"),
        (json!({"metdata.tier": 1}), "\"metdata.tier\": unknown field (did you mean `metadata.*`?)"),
        (json!({"metadata.": 1}), "\"metadata.\": unknown field (did you mean `metadata.*`?)"),
        (json!({"field": "model", "op": "$sw", "value": 1}), "op: unknown operator (known: $eq, $ne, "),
        (json!({"field": "model", "opp": "$eq", "value": "x"}), "opp: unknown key (did you mean `op`?)"),
        (json!({"field": "model", "op": "$eq"}), "value: needs a value"),
        (json!({"model": {"$regexp": "x"}}), "model.\"$regexp\": unknown operator (did you mean `$regex`?)"),
        (json!({"model": {"$regex": "("}}), "model.\"$regex\": is no regular expression"),
        (json!({"model": ["a"]}), "model: expected a text; `$in` takes a list"),
        (json!({"model": {"$in": []}}), "model.\"$in\": expected a list of values"),
        (json!({"model": true}), "model: expected a text"),
        (json!({"stream": "yes"}), "stream: expected true or false"),
        (json!({"stream": {"$gt": 1}}), "stream.\"$gt\": true and false have no order"),
        (json!({"max_tokens": {"$gt": "1"}}), "max_tokens.\"$gt\": expected a number"),
        (json!({"max_tokens": {"$contains": "1"}}), "max_tokens.\"$contains\": is for texts; this field has a number"),
        (json!({"model": {"$contains": ""}}), "model.\"$contains\": an empty text says nothing"),
        (json!({"$or": []}), "\"$or\": expected a list of conditions"),
        (json!({"$or": [{"stream": 1}]}), "\"$or\"[0].stream: expected true or false"),
        (json!({"model": {"$exists": "no"}}), "model.\"$exists\": expected true or false"),
        (json!({"sk-canary-0123456789": 1}), "*: unknown field"),
    ] {
        let found = mistakes(written.clone());
        assert!(found.len() == 1 && found[0].starts_with(told), "{written}: {found:?}");
    }
    assert_eq!(mistakes(json!({"a": 1, "b": {"$x": 1}, "stream": 1})).len(), 3, "all are told");
}

#[test]
fn whole_numbers_are_compared_exactly() {
    let (large, larger) = (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64));
    assert!(!same(&large, &larger) && same(&json!(1), &json!(1.0)) && !same(&json!(true), &json!(1)));
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<bool>().prop_map(Json::from),
        (-3..3_i64).prop_map(Json::from),
        (-3..3_i64).prop_map(|n| json!(n as f64 / 2.0)),
        "[ab]{0,2}".prop_map(Json::from),
    ]
}

fn bound() -> impl Strategy<Value = Json> {
    scalar().prop_filter("true and false have no order", |value| !value.is_boolean())
}

/// A condition as written, about `metadata.a` and `metadata.b`.
fn written() -> impl Strategy<Value = Json> {
    let field = prop_oneof![Just("metadata.a"), Just("metadata.b")];
    let leaf = (field, prop_oneof![Just("$eq"), Just("$ne")], scalar())
        .prop_map(|(field, op, value)| json!({"field": field, "op": op, "value": value}));
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| json!({"$and": all})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| json!({"$or": all})),
            inner.prop_map(|one| json!({"$not": one})),
        ]
    })
}

fn facts() -> impl Strategy<Value = Request> {
    (prop::option::of(scalar()), prop::option::of(scalar())).prop_map(|(a, b)| {
        let given = [("metadata.a", a), ("metadata.b", b)];
        Request(given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    })
}

/// A naive matcher: every way in which `*` can be read.
fn fits_slowly(glob: &[u8], text: &[u8]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| fits_slowly(rest, &text[skip..])),
        Some((c, rest)) => {
            text.split_first().is_some_and(|(first, more)| (*c == b'?' || c == first) && fits_slowly(rest, more))
        }
    }
}

proptest! {
    #[test]
    fn not_or_and_and_keep_de_morgans_laws(a in written(), b in written(), facts in facts()) {
        let holds = |written: Json| condition(written).holds(&facts);
        prop_assert_eq!(holds(json!({"$not": {"$not": a}})), holds(a.clone()));
        prop_assert_eq!(holds(json!({"$not": {"$and": [a, b]}})), holds(json!({"$or": [{"$not": a}, {"$not": b}]})));
        prop_assert_eq!(holds(json!({"$nor": [a, b]})), holds(json!({"$and": [{"$not": a}, {"$not": b}]})));
        prop_assert_eq!(holds(json!({"$and": [a, b]})), holds(json!({"$and": [b, a]})));
        prop_assert_eq!(holds(json!({"$or": [a, {"$not": a}]})), true);
    }

    #[test]
    fn in_is_or_of_eq(values in prop::collection::vec(scalar(), 1..4), facts in facts()) {
        let holds = |written: Json| condition(written).holds(&facts);
        let each: Vec<Json> = values.iter().map(|value| json!({"metadata.a": value})).collect();
        let one = holds(json!({"metadata.a": {"$in": values}}));
        prop_assert_eq!(one, holds(json!({"$or": each})));
        prop_assert_eq!(holds(json!({"metadata.a": {"$nin": values}})), !one);
    }

    #[test]
    fn comparisons_agree(value in bound(), facts in facts()) {
        let holds = |op: &str| condition(json!({"field": "metadata.a", "op": op, "value": value})).holds(&facts);
        prop_assert_eq!(holds("$gte"), holds("$gt") || holds("$eq"));
        prop_assert_eq!(holds("$lte"), holds("$lt") || holds("$eq"));
        prop_assert!(!(holds("$gt") && holds("$lte")));
        prop_assert_eq!(holds("$ne"), !holds("$eq"));
        let comparable = facts.fact("metadata.a").is_some_and(|fact| {
            (fact.is_number() && value.is_number()) || (fact.is_string() && value.is_string())
        });
        prop_assert_eq!(holds("$gt") || holds("$lte"), comparable);
    }

    #[test]
    fn globs_match_as_read(glob in "[ab?*]{0,6}", text in "[ab]{0,8}") {
        prop_assert_eq!(fits(&glob, &text), fits_slowly(glob.as_bytes(), text.as_bytes()));
    }

    /// Whatever is written is read or refused with a reason.
    #[test]
    fn any_json_is_answered(key in "[$a-z.]{0,8}", word in "[$a-z]{0,6}", value in scalar()) {
        for written in [json!({&key: {&word: value}}), json!({"field": key, "op": word, "value": value})] {
            prop_assert!(read(&written).map_or_else(|mistakes| !mistakes.is_empty(), |_| true));
        }
    }
}
