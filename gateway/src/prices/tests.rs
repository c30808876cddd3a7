//! Prices as claims: the table's form, sums worked out by hand, and what holds for every usage.

use proptest::prelude::*;

use super::{cost::parts, *};
use crate::{
    api::{BilledTier, TokenUsage},
    config::{self, CostTracking, PRESETS},
    money::{Rate, Usd},
};

fn bundled(name: &str) -> Price {
    table::find(name).unwrap_or_else(|| panic!("{name} is in the table"))
}

fn price(rates: &str) -> Price {
    Price::parse(rates, Source::Configured).unwrap()
}

#[track_caller]
fn costs(price: &Price, usage: TokenUsage, wanted: &str) {
    assert_eq!(price.cost(&usage).map(|cost| cost.to_string()).as_deref(), Some(wanted));
}

#[test]
fn the_table_is_sorted_whole_and_of_known_providers() {
    let text = include_str!("../../prices/catalogue.tsv");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.is_sorted() && text.ends_with('\n') && lines.len() > 1_500);
    assert_eq!(entries().count(), lines.len() - 1, "every line but the first is a price");
    for (kind, model, price) in entries() {
        assert!(PRESETS.iter().any(|preset| preset.name == kind), "{kind}");
        assert_eq!(table::find(&format!("{kind}/{model}")), Some(price.clone()), "{kind}/{model}");
        assert!(price.rates().all(|(_, rate)| rate > Rate::per_million("0").unwrap()), "{kind}/{model}");
        let written: Vec<_> = price.rates().map(|(name, rate)| format!("{name}={rate}")).collect();
        assert!(text.contains(&format!("{kind}/{model}\t{}\n", written.join(" "))), "{kind}/{model}");
    }
    assert!(version().starts_with("litellm "));
    for missing in ["", "a", "openai/", "openai/no-such-model", "zzz/zzz"] {
        assert_eq!(table::find(missing), None, "{missing}");
    }
}

/// OpenAI's price page: gpt-4o at 2.50 in, 1.25 cached, 10.00 out. Cached tokens are part of the prompt's.
#[test]
fn openai_with_a_cached_prompt() {
    let usage = TokenUsage { input: 2_006, cached_read: 1_920, output: 300, ..Default::default() };
    // 86 × 2.5 + 1,920 × 1.25 + 300 × 10 = 215 + 2,400 + 3,000 millionths
    costs(&bundled("openai/gpt-4o"), usage, "0.005615");
    // batch: half of it
    let batch = TokenUsage { tier: BilledTier::Batch, input: 86, output: 300, ..Default::default() };
    costs(&bundled("openai/gpt-4o"), batch, "0.0016075");
}

/// Anthropic's price page: Sonnet 4.5 at 3 in, 3.75 and 6 for cache writes of 5 minutes and 1 hour, 0.30 cached, 15 out.
#[test]
fn anthropic_with_both_kinds_of_cache_writes() {
    let usage = TokenUsage {
        input: 100 + 2_000 + 3_000 + 10_000,
        cached_write: 5_000,
        cached_write_1h: 3_000,
        cached_read: 10_000,
        output: 500,
        reasoning: 200,
        ..Default::default()
    };
    // 100 × 3 + 2,000 × 3.75 + 3,000 × 6 + 10,000 × 0.3 + 500 × 15 = 300 + 7,500 + 18,000 + 3,000 + 7,500 millionths
    costs(&bundled("anthropic/claude-sonnet-4-5"), usage, "0.0363");
}

/// Google's price page: Gemini 2.5 Pro at 1.25 in and 10 out up to 200,000 tokens of prompt, 2.50, 0.25 cached and 15 above.
#[test]
fn gemini_with_a_long_prompt() {
    let short = TokenUsage { input: 200_000, output: 1_000, reasoning: 400, ..Default::default() };
    costs(&bundled("gemini/gemini-2.5-pro"), short, "0.26");
    let long = TokenUsage { input: 200_001, cached_read: 100_000, ..short };
    // 100,001 × 2.5 + 100,000 × 0.25 + 1,000 × 15 = 250,002.5 + 25,000 + 15,000 millionths
    costs(&bundled("gemini/gemini-2.5-pro"), long, "0.2900025");
}

/// OpenAI's price page: gpt-audio at 2.50 and 10 for text, 32 and 64 for audio; Google's: Gemini 2.5 Flash at 0.30 in, 1.00
/// for audio, 0.03 and 0.10 from the cache, 2.50 out.
#[test]
fn audio_is_priced_as_audio() {
    let usage = TokenUsage { input: 150, audio_input: 100, output: 220, audio_output: 200, ..Default::default() };
    // 50 × 2.5 + 100 × 32 + 20 × 10 + 200 × 64 = 125 + 3,200 + 200 + 12,800 millionths
    costs(&bundled("openai/gpt-audio"), usage, "0.016325");
    let usage = TokenUsage {
        input: 1_000,
        audio_input: 600,
        cached_read: 500,
        audio_cached: 400,
        output: 10,
        ..Default::default()
    };
    // 300 × 0.3 + 200 × 1 + 100 × 0.03 + 400 × 0.1 + 10 × 2.5 = 90 + 200 + 3 + 40 + 25 millionths
    costs(&bundled("gemini/gemini-2.5-flash"), usage, "0.000358");
}

/// Cohere charges for what stands in `billed_units`.
#[test]
fn what_is_free_is_not_priced() {
    let usage = TokenUsage { input: 503, free_input: 495, output: 38, ..Default::default() };
    // 8 × 2.5 + 38 × 10 millionths
    costs(&bundled("cohere/command-a-03-2025"), usage, "0.0004");
}

#[test]
fn a_reranker_counts_searches() {
    costs(&bundled("cohere/rerank-v3.5"), TokenUsage { searches: 3, ..Default::default() }, "0.006");
}

/// $10 for a thousand of them, whatever else the request is priced by.
#[test]
fn a_models_searches_of_the_web_are_paid_for_each() {
    let sonnet = bundled("anthropic/claude-sonnet-4-5");
    let usage = TokenUsage { input: 1_000, output: 100, searches: 2, ..Default::default() };
    costs(&sonnet, usage, "0.0245");
    costs(&sonnet, TokenUsage { tier: BilledTier::Batch, ..usage }, "0.02225");
    assert_eq!(sonnet.cost(&TokenUsage { tier: BilledTier::Other, ..usage }), None);
    let long = price("input=3 output=15 query=10000 input>200000=6 output>200000=22.5");
    costs(&long, TokenUsage { input: 300_000, output: 0, searches: 1, ..Default::default() }, "1.81");
}

#[test]
fn what_is_not_known_is_absent_and_never_zero() {
    let price = price("input=3 output=15 write=3.75 cached=0.3 cached@batch=0.15 input@batch=1.5");
    let usage = TokenUsage { input: 100, output: 10, ..Default::default() };
    let none = |usage| assert_eq!(price.cost(&usage), None, "{usage:?}");
    none(TokenUsage { tier: BilledTier::Priority, ..usage });
    none(TokenUsage { tier: BilledTier::Other, ..usage });
    none(TokenUsage { tier: BilledTier::Batch, ..usage });
    none(TokenUsage { cached_write: 10, cached_write_1h: 10, ..usage });
    none(TokenUsage { searches: 1, ..usage });
    costs(&price, TokenUsage { tier: BilledTier::Batch, cached_read: 10, output: 0, ..usage }, "0.0001365");
    // nothing used is known to cost nothing
    costs(&price, TokenUsage { tier: BilledTier::Other, ..Default::default() }, "0");
}

#[test]
fn a_part_without_a_rate_costs_what_it_is_part_of() {
    let price = price("input=3 output=15");
    let usage = TokenUsage {
        input: 100,
        cached_read: 10,
        cached_write: 20,
        cached_write_1h: 5,
        audio_input: 7,
        output: 50,
        reasoning: 20,
        image_output: 5,
        ..Default::default()
    };
    costs(&price, usage, "0.00105");
}

fn catalogue(costs: &str) -> (Catalogue, Vec<config::Provider>) {
    let file = format!(
        "
providers:
  azure:
    api_key: k
    base_url: https://x.openai.azure.com
    models: [{{id: fast, upstream: my-deployment, base_model: gpt-4o}}, {{id: gpt-4o-mini, upstream: other-deployment}}]
  bedrock: {{region: ap-northeast-1, access_key_id: a, secret_access_key: b}}
  mine: {{type: openai, api_key: k}}
  ollama: {{}}
{costs}"
    );
    let config = config::parse(&file, "test.yaml", &|_| None).unwrap();
    (Catalogue::new(&config.cost_tracking), config.providers)
}

fn input(catalogue: &Catalogue, provider: &config::Provider, model: &str) -> Option<String> {
    catalogue.price(provider, model)?.rate(What::Input).map(|rate| rate.to_string())
}

#[test]
fn a_model_is_found_under_every_name_that_it_has() {
    let (catalogue, providers) = catalogue("");
    let [azure, bedrock, mine, ollama] = &providers[..] else { panic!("four providers") };
    let found = |provider, model: &str| input(&catalogue, provider, model);
    assert_eq!(found(mine, "gpt-4o-2024-08-06").as_deref(), Some("2.5"));
    assert_eq!(found(azure, "my-deployment").as_deref(), Some("2.5"), "by its base model");
    assert_eq!(found(azure, "other-deployment").as_deref(), Some("0.15"), "by the name that clients use");
    let nova = "amazon.nova-lite-v1:0";
    let here = found(bedrock, nova);
    assert!(here.is_some());
    for form in ["eu.", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global."] {
        assert!(found(bedrock, &format!("{form}{nova}")).is_some(), "{form}");
    }
    assert_eq!(found(bedrock, "deepseek.v3.2").as_deref(), Some("0.74"), "a region's own price");
    assert_eq!(found(ollama, "llama3"), None);
    assert_eq!(found(mine, "gpt-unheard-of"), None);
}

#[test]
fn configured_prices_come_first() {
    let (catalogue, providers) = catalogue(
        "cost_tracking: {custom_pricing: {gpt-4o: {input_per_mtok: 9.99}, mine/gpt-4o: {input_per_mtok: '0.000000000001'}}}",
    );
    assert_eq!(input(&catalogue, &providers[0], "my-deployment").as_deref(), Some("9.99"));
    assert_eq!(input(&catalogue, &providers[2], "gpt-4o").as_deref(), Some("0.000000000001"));
    assert_eq!(input(&catalogue, &providers[2], "gpt-4o-mini").as_deref(), Some("0.15"));
    let off = Catalogue::new(&CostTracking { enabled: false, ..Default::default() });
    assert_eq!(input(&off, &providers[2], "gpt-4o"), None);
}

fn any_usage() -> impl Strategy<Value = TokenUsage> {
    prop::array::uniform10(0_u64..3_000).prop_map(|n| TokenUsage {
        input: n[0],
        output: n[1],
        cached_read: n[2],
        cached_write: n[3],
        cached_write_1h: n[4],
        reasoning: n[5],
        audio_input: n[6],
        audio_cached: n[7],
        audio_output: n[8],
        image_input: n[9],
        image_output: n[9] / 2,
        ..Default::default()
    })
}

/// One whose parts are within their totals and apart from each other.
fn sound_usage() -> impl Strategy<Value = TokenUsage> {
    prop::array::uniform9(0_u64..1_000).prop_map(|n| TokenUsage {
        input: n[0] + n[1] + n[2] + n[3],
        cached_read: n[1],
        cached_write: n[2],
        cached_write_1h: n[2] / 3,
        audio_input: n[3],
        output: n[5] + n[6] + n[7],
        reasoning: n[6],
        audio_output: n[7],
        ..Default::default()
    })
}

const ALL: &str = "input=3 output=15 cached=0.3 cached_audio=1 write=3.75 write_1h=6 reasoning=16 audio_input=32 \
                   audio_output=64 image_input=5 image_output=30";

proptest! {
    #[test]
    fn every_token_is_in_exactly_one_part(usage in any_usage()) {
        let sum: u64 = parts(&usage).iter().map(|(_, count)| count).sum();
        prop_assert_eq!(sum, usage.input + usage.output);
        let free = TokenUsage { free_input: 10, ..usage };
        let charged: u64 = parts(&free).iter().map(|(_, count)| count).sum();
        prop_assert_eq!(charged, sum - usage.input.min(10));
        let one = price("input=1 output=1");
        prop_assert_eq!(one.cost(&usage), Some(Rate::per_million("1").unwrap().of(usage.input + usage.output)));
    }

    #[test]
    fn costs_add_up(a in sound_usage(), b in sound_usage()) {
        let price = price(ALL);
        let both = TokenUsage {
            input: a.input + b.input,
            cached_read: a.cached_read + b.cached_read,
            cached_write: a.cached_write + b.cached_write,
            cached_write_1h: a.cached_write_1h + b.cached_write_1h,
            audio_input: a.audio_input + b.audio_input,
            output: a.output + b.output,
            reasoning: a.reasoning + b.reasoning,
            audio_output: a.audio_output + b.audio_output,
            ..Default::default()
        };
        prop_assert_eq!(price.cost(&both), price.cost(&a).zip(price.cost(&b)).map(|(a, b)| a + b));
    }

    #[test]
    fn more_tokens_never_cost_less(usage in any_usage(), more_in in 0_u64..1_000_000, more_out in 0_u64..1_000) {
        let more = TokenUsage { input: usage.input + more_in, output: usage.output + more_out, ..usage };
        for name in ["gemini/gemini-2.5-pro", "anthropic/claude-sonnet-4-5"] {
            let (less, more) = (bundled(name).cost(&usage), bundled(name).cost(&more));
            prop_assert!(less <= more, "{less:?} {more:?}");
        }
    }

    #[test]
    fn no_count_is_too_large(usage in prop::array::uniform3(any::<u64>())) {
        let usage = TokenUsage { input: usage[0], output: usage[1], cached_read: usage[2], ..Default::default() };
        prop_assert!(price(ALL).cost(&usage) >= Some(Usd::default()));
    }
}
