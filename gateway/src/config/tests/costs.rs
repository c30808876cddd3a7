//! `cost_tracking`: what is read, and what is said when it cannot be.

use super::{mistakes, read};

#[test]
fn prices_are_read_exactly_as_numbers_and_as_texts() {
    let costs = read(
        "
cost_tracking:
  custom_pricing:
    my-model:
      input_per_mtok: 0.1
      output_per_mtok: '5.000000000001'
      cache_write_1h_per_mtok: 2
      above: {200_000: {input_per_mtok: 0.2}}
      batch: {input_per_mtok: 0.05, above: {200000: {input_per_mtok: 0}}}
",
    )
    .cost_tracking;
    let rates = &costs.custom_pricing["my-model"];
    let written: Vec<_> = rates.iter().map(|(name, rate)| format!("{name}={rate}")).collect();
    let expected = [
        "input=0.1",
        "output=5.000000000001",
        "write_1h=2",
        "input>200000=0.2",
        "input@batch=0.05",
        "input>200000@batch=0",
    ];
    assert_eq!(written, expected);
    assert!(costs.enabled && read("{}").cost_tracking.enabled);
    assert!(!read("cost_tracking: {enabled: false}").cost_tracking.enabled);
}

#[test]
fn a_price_that_is_none_is_told_with_its_line() {
    let told = mistakes(
        "cost_tracking:
  custom_pricing:
    a: {input_per_mtok: cheap}
    b: {output_per_mtok: -1}
    c: {input_per_mtok: 1e-6}
    d: {input: 1}
    e: {}
    f: {above: {many: {input_per_mtok: 1}}}
    g: {batch: {flex: {input_per_mtok: 1}}}
    h: {above: {10: {above: {20: {input_per_mtok: 1}}}}}
",
    );
    let price = "expected US dollars per million, such as `2.5` or `0.075`, with up to twelve decimals";
    let starts = [
        format!("prism.yaml:3: cost_tracking.custom_pricing.a.input_per_mtok: {price}"),
        format!("prism.yaml:4: cost_tracking.custom_pricing.b.output_per_mtok: {price}"),
        format!("prism.yaml:5: cost_tracking.custom_pricing.c.input_per_mtok: {price}"),
        "prism.yaml:6: cost_tracking.custom_pricing.d.input: unknown key".to_owned(),
        "prism.yaml:7: cost_tracking.custom_pricing.e: names no price".to_owned(),
        "prism.yaml:8: cost_tracking.custom_pricing.f.above.many: expected a number of tokens".to_owned(),
        "prism.yaml:9: cost_tracking.custom_pricing.g.batch.flex: a tier stands beside".to_owned(),
        "prism.yaml:10: cost_tracking.custom_pricing.h.above.10.above.20: bounds do not stand in bounds".to_owned(),
    ];
    for start in &starts {
        assert!(told.iter().any(|line| line.starts_with(start)), "{start}\n{told:#?}");
    }
}
