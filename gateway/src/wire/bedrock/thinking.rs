//! `reasoning_effort` in the words of each family, and what goes with it.

use serde_json::{Value, json};

use super::families::{Family, Thinking};
use crate::{
    api::{ChatCompletionRequest, ReasoningEffort},
    wire::hub::Losses,
};

/// Claude takes no smaller budget.
const LEAST_BUDGET: u32 = 1024;
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// What stands against thinking in this request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Obstacles {
    /// A tool call is demanded.
    pub forced: bool,
    /// A round of tools was begun without thinking.
    pub thoughtless: bool,
}

/// How the model is told.
#[derive(Debug, Default)]
pub(super) struct Thought {
    /// Members of `additionalModelRequestFields`.
    pub fields: Vec<(&'static str, Value)>,
    /// `outputConfig.effort`.
    pub effort: Option<&'static str>,
    /// Claude thinks: sampling values have to be the default ones.
    pub active: bool,
}

pub(super) fn thought(
    request: &ChatCompletionRequest,
    family: &'static Family,
    obstacles: Obstacles,
    losses: &mut Losses,
) -> Thought {
    if let Some(own) = request.extra.get("thinking").filter(|own| family.claude && own.is_object()) {
        let active = own.get("type").and_then(Value::as_str) != Some("disabled");
        if request.reasoning_effort.is_some() {
            losses.dropped("reasoning_effort");
        }
        return Thought { fields: vec![("thinking", own.clone())], effort: None, active };
    }
    let Some(asked) = &request.reasoning_effort else { return Thought::default() };
    let effort = match asked {
        ReasoningEffort::None => return none(family),
        ReasoningEffort::Minimal | ReasoningEffort::Low => "low",
        ReasoningEffort::Medium => "medium",
        ReasoningEffort::High => "high",
        ReasoningEffort::Xhigh => "xhigh",
        ReasoningEffort::Max => "max",
        ReasoningEffort::Other(_) => {
            losses.dropped("reasoning_effort");
            return Thought::default();
        }
    };
    let field = |name, value| Thought { fields: vec![(name, value)], ..Thought::default() };
    match family.thinking {
        Thinking::No => {
            losses.dropped("reasoning_effort");
            Thought::default()
        }
        Thinking::Effort => field("reasoning_effort", json!(at_most(effort, "high", losses))),
        Thinking::Reasoning => field("reasoning", json!({ "effort": effort })),
        Thinking::ReasoningConfig => {
            let effort = at_most(effort, "high", losses);
            field("reasoningConfig", json!({ "type": "enabled", "maxReasoningEffort": effort }))
        }
        Thinking::Adaptive(_) if obstacles.forced => {
            // without thinking, effort is capped at high
            losses.approximated("reasoning_effort");
            Thought { effort: Some(at_most(effort, "high", losses)), ..Thought::default() }
        }
        Thinking::Adaptive(ceiling) => Thought {
            fields: vec![("thinking", adaptive(ceiling))],
            effort: Some(at_most(effort, ceiling, losses)),
            active: true,
        },
        Thinking::Budget if obstacles.forced || obstacles.thoughtless => {
            losses.dropped("reasoning_effort");
            Thought::default()
        }
        Thinking::Budget => budget(effort, request.max_completion_tokens.or(request.max_tokens), losses),
    }
}

/// Where thinking is not asked for it does not happen; OpenAI's own models think unless told.
fn none(family: &Family) -> Thought {
    match family.thinking {
        Thinking::Reasoning => {
            Thought { fields: vec![("reasoning", json!({ "effort": "none" }))], ..Thought::default() }
        }
        _ => Thought::default(),
    }
}

/// From 4.7 on, whose efforts reach `xhigh`, thoughts come empty unless they are asked for
/// (platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7).
fn adaptive(ceiling: &str) -> Value {
    match ceiling {
        "xhigh" => json!({ "type": "adaptive", "display": "summarized" }),
        _ => json!({ "type": "adaptive" }),
    }
}

/// The budget is part of `maxTokens`: a fifth is left for the answer.
fn budget(effort: &str, max_tokens: Option<u32>, losses: &mut Losses) -> Thought {
    let wanted = match effort {
        "low" => LEAST_BUDGET,
        "medium" => 2048,
        "high" => 4096,
        "xhigh" => 8192,
        _ => 16384,
    };
    let room = max_tokens.map_or(u32::MAX, |most| most / 5 * 4);
    if room < LEAST_BUDGET {
        losses.dropped("reasoning_effort");
        return Thought::default();
    }
    if room < wanted {
        losses.approximated("reasoning_effort");
    }
    let thinking = json!({ "type": "enabled", "budget_tokens": wanted.min(room) });
    Thought { fields: vec![("thinking", thinking)], effort: None, active: true }
}

fn at_most(effort: &'static str, ceiling: &'static str, losses: &mut Losses) -> &'static str {
    let rank = |effort: &str| EFFORTS.iter().position(|known| *known == effort);
    if rank(effort) <= rank(ceiling) {
        return effort;
    }
    losses.approximated("reasoning_effort");
    ceiling
}
