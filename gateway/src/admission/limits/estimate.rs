//! What a request will probably take, before anybody has read it.

use std::sync::LazyLock;

use memchr::{
    memchr,
    memmem::{FindIter, Finder},
};

use crate::{
    api::{ClientRequest, Endpoint},
    wire::openai,
};

/// An image or a piece of audio, however many bytes it has.
const MEDIUM: u64 = 1_000;
/// Output where neither the request nor experience says how much.
const USUAL_OUTPUT: u64 = 1_000;

static DATA_URL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b";base64,"));
static DATA: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""data":""#));

/// Tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    pub input: u64,
    pub output: u64,
}

impl Estimate {
    /// The input from the size of the body, the output from what the request allows; where it says nothing, from `usual`,
    /// the mean of the model's answers so far.
    pub fn of(request: &ClientRequest, usual: Option<u64>) -> Self {
        let number = |name: &str| {
            let field = request.envelope.field(name)?;
            std::str::from_utf8(&request.body[field.value.clone()]).ok()?.split('.').next()?.parse::<u64>().ok()
        };
        let output = match request.endpoint {
            Endpoint::Embeddings | Endpoint::Rerank => 0,
            Endpoint::ChatCompletions | Endpoint::Completions => {
                let most = number("max_completion_tokens").or_else(|| number("max_tokens"));
                let choices = number("n").max(number("best_of")).unwrap_or(1).max(1);
                most.or(usual).unwrap_or(USUAL_OUTPUT).saturating_mul(choices)
            }
        };
        Self { input: input_tokens(&request.body), output }
    }

    pub fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Input tokens of a request's body; media count as such, however many bytes they have.
pub fn input_tokens(body: &[u8]) -> u64 {
    let is_long = |length: usize| openai::estimate(length as u64) > MEDIUM;
    if !is_long(body.len()) {
        return openai::estimate(body.len() as u64);
    }
    let (mut text, mut media, mut at) = (body.len(), 0, 0);
    let mut starts = [Starts::new(&DATA_URL, body), Starts::new(&DATA, body)];
    while let Some(start) = starts.iter_mut().filter_map(|starts| starts.from(at)).min() {
        let length = memchr(b'"', &body[start..]).unwrap_or(body.len() - start);
        at = start;
        // one that is less as text is text like any other
        if is_long(length) {
            text -= length;
            media += MEDIUM;
            at += length;
        }
    }
    openai::estimate(text as u64) + media
}

/// Where what follows a word begins. The body is searched once, however many there are.
struct Starts<'a> {
    found: FindIter<'a, 'static>,
    next: Option<usize>,
    word: usize,
}

impl<'a> Starts<'a> {
    fn new(word: &'static Finder<'static>, body: &'a [u8]) -> Self {
        Self { found: word.find_iter(body), next: Some(0), word: word.needle().len() }
    }

    /// The first that comes after a place.
    fn from(&mut self, place: usize) -> Option<usize> {
        while self.next? <= place {
            self.next = self.found.next().map(|found| found + self.word);
        }
        self.next
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::wire::openai::read;

    fn estimate(endpoint: Endpoint, body: &str) -> Estimate {
        Estimate::of(&read(endpoint, Bytes::copy_from_slice(body.as_bytes())).unwrap(), Some(77))
    }

    #[test]
    fn output_is_what_the_request_allows_or_what_the_model_usually_writes() {
        let chat = |more: &str| {
            estimate(
                Endpoint::ChatCompletions,
                &format!(r#"{{"model":"m","messages":[{{"role":"user","content":"a"}}]{more}}}"#),
            )
            .output
        };
        assert_eq!(chat(""), 77);
        assert_eq!(chat(r#","max_tokens":10"#), 10);
        assert_eq!(chat(r#","max_tokens":10,"max_completion_tokens":20.0,"n":3"#), 60);
        assert_eq!(chat(r#","max_tokens":null"#), 77);
        assert_eq!(estimate(Endpoint::Embeddings, r#"{"model":"m","input":"a"}"#).output, 0);
    }

    #[test]
    fn input_is_text_by_its_length_and_media_by_the_piece() {
        let chat = |text: &str| {
            let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":{text}}}]}}"#);
            estimate(Endpoint::ChatCompletions, &body).input
        };
        let bare = chat(r#""""#);
        assert_eq!(chat(&format!("\"{}\"", "word".repeat(1_000))) - bare, 1_000);
        let pixels = "A".repeat(1_000_000);
        let image = format!(r#"[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{pixels}"}}}}]"#);
        let audio = format!(r#"[{{"type":"input_audio","input_audio":{{"data":"{pixels}"}}}}]"#);
        let both = format!("[{},{}]", &image[1..image.len() - 1], &audio[1..audio.len() - 1]);
        for (medium, pieces) in [(&image, 1), (&audio, 1), (&both, 2)] {
            let estimate = chat(medium) - bare;
            assert!((pieces * MEDIUM..pieces * MEDIUM + 100).contains(&estimate), "{estimate}");
        }
    }

    /// Whoever looks for the end of the body again with each of them never comes to it.
    #[test]
    fn a_body_is_searched_once_however_many_short_media_it_has() {
        let body = r#";base64,""#.repeat(1_000_000);
        assert_eq!(input_tokens(body.as_bytes()), openai::estimate(body.len() as u64));
    }
}
