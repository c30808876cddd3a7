//! A configuration without a file: the keys that are in the environment, the servers that may run on this machine, and
//! the simulator.

use std::path::Path;

use super::{
    Config, PRESETS, Preset, Provider,
    check::Report,
    file_provider as written,
    preset::Cloud,
    provider,
    resolve::{self, Around, Context},
    tree::{Node, Value},
};
use crate::secret::Secret;

/// The configuration of a gateway that was started with nothing, and what its user should know of it.
pub fn from_environment(env: &dyn Fn(&str) -> Option<String>) -> (Config, Vec<String>) {
    read(Around::of(env))
}

pub(super) fn read(around: Around<'_>) -> (Config, Vec<String>) {
    let env = |name: &str| (around.env)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let around = Around { env: &env, ..around };
    let mut notices = Vec::new();
    let mut config = resolve::defaults();
    for preset in PRESETS {
        let provider = match preset.key_env.iter().find_map(|name| Some((*name, env(name)?))) {
            Some((name, key)) => from_key(preset, name, &key, around, config.server.max_in_flight),
            None if preset.local || preset.name == "simulator" => {
                made(preset, &written::Provider::default(), around, config.server.max_in_flight)
                    .map(|provider| Provider { opportunistic: preset.local, ..provider })
            }
            None => continue,
        };
        match provider {
            Ok(provider) => config.providers.push(provider),
            Err(notice) => notices.push(notice),
        }
    }
    (config, notices)
}

/// The provider that a key in the environment stands for, or why there is none.
fn from_key(
    preset: &Preset,
    name: &str,
    key: &str,
    around: Around<'_>,
    max_in_flight: usize,
) -> Result<Provider, String> {
    let base_url = preset.base_url_env.and_then(around.env);
    if !around.formats.contains(&preset.api_format) {
        let (provider, format) = (preset.name, preset.api_format);
        return Err(format!(
            "{name} is set, but the provider `{provider}` needs the `{format}` format, which is not built yet"
        ));
    }
    if let (Some(missing), None) = (preset.base_url_env, &base_url) {
        return Err(format!("{name} is set, but {missing} is not: {}", preset.note));
    }
    // What a cloud's variables mean is the cloud's affair: its own chain reads them.
    let api_key = (!matches!(preset.cloud, Cloud::Aws | Cloud::Google)).then(|| Secret::new(key));
    let written = written::Provider { api_key, base_url, ..written::Provider::default() };
    made(preset, &written, around, max_in_flight).map_err(|problem| format!("{name} is set and not used: {problem}"))
}

fn made(
    preset: &Preset,
    written: &written::Provider,
    around: Around<'_>,
    max_in_flight: usize,
) -> Result<Provider, String> {
    let tree = Node { line: 1, value: Value::Map(Vec::new()) };
    let mut report = Report::new("environment");
    let folder = Path::new("");
    let mut context = Context { tree: &tree, folder, report: &mut report, around, providers: None };
    let provider = provider::provider(preset.name, written, max_in_flight, &mut context);
    match report.finish(provider) {
        Ok((Some(provider), _)) => Ok(provider),
        Ok((None, _)) => Err(format!("the provider `{}` cannot be used", preset.name)),
        Err(mistakes) => {
            let said: Vec<_> =
                mistakes.0.iter().map(|mistake| format!("{}: {}", mistake.path, mistake.message)).collect();
            Err(said.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SIMULATOR_MODELS;

    fn names(config: &Config) -> Vec<&str> {
        config.providers.iter().map(|provider| provider.name.as_str()).collect()
    }

    #[test]
    fn without_anything_there_are_the_local_servers_and_the_simulator() {
        let (config, notices) = from_environment(&|_| None);
        assert_eq!(names(&config), ["ollama", "vllm", "lmstudio", "simulator"]);
        assert!(config.providers[..3].iter().all(|provider| provider.opportunistic && !provider.simulated));
        let simulator = &config.providers[3];
        assert!(simulator.simulated && !simulator.opportunistic && simulator.discover.is_none());
        assert_eq!(simulator.base_url, "http://simulator");
        assert!(simulator.models.iter().map(|model| model.id.as_str()).eq(SIMULATOR_MODELS.iter().copied()));
        assert!(config.server.host.is_loopback());
        assert!(notices.is_empty());
    }

    #[test]
    fn keys_bring_their_providers_or_a_notice() {
        let (config, notices) = from_environment(&|name| match name {
            "OPENAI_API_KEY" | "REPLICATE_API_TOKEN" | "ANYSCALE_API_KEY" => Some("sk-canary\n".to_owned()),
            "GROQ_API_KEY" => Some("  ".to_owned()),
            "XAI_API_KEY" => Some("sk canary".to_owned()),
            _ => None,
        });
        assert_eq!(names(&config), ["openai", "replicate", "ollama", "vllm", "lmstudio", "simulator"]);
        assert_eq!(config.providers[0].key.as_ref().map(Secret::expose), Some("sk-canary"));
        let told = notices.join("\n");
        for name in ["ANYSCALE_BASE_URL", "XAI_API_KEY"] {
            assert!(told.contains(name), "{name}: {told}");
        }
        assert!(!told.contains("canary"), "{told}");
    }

    #[test]
    fn an_anyscale_service_needs_its_url() {
        let (config, _) = from_environment(&|name| match name {
            "ANYSCALE_API_KEY" => Some("k".to_owned()),
            "ANYSCALE_BASE_URL" => Some("https://x.anyscaleuserdata.com".to_owned()),
            _ => None,
        });
        assert_eq!(config.providers[0].base_url, "https://x.anyscaleuserdata.com/v1");
    }
}
