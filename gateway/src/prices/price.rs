//! The rates of one model.

use crate::{api::BilledTier, money::Rate};

/// What a model's provider charges. A rate that is not there is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    pub source: Source,
    rates: Box<[Cell]>,
}

impl Price {
    /// Which table it comes from: the bundled one's version, or `custom`.
    pub fn version(&self) -> &'static str {
        match self.source {
            Source::Bundled => super::version(),
            Source::Configured => "custom",
        }
    }
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Bundled,
    Configured,
}

/// What a rate is the price of: tokens, but for `Query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Input,
    Output,
    /// Input read from the prompt cache.
    Cached,
    CachedAudio,
    /// Input written to the prompt cache, to be kept for minutes.
    Write,
    /// Input written to the prompt cache, to be kept for an hour.
    Write1h,
    Reasoning,
    AudioInput,
    AudioOutput,
    ImageInput,
    ImageOutput,
    /// A search: a reranker's, or a model's of the web.
    Query,
}

/// The words of the table.
const WORDS: &[(What, &str)] = &[
    (What::Input, "input"),
    (What::Output, "output"),
    (What::Cached, "cached"),
    (What::CachedAudio, "cached_audio"),
    (What::Write, "write"),
    (What::Write1h, "write_1h"),
    (What::Reasoning, "reasoning"),
    (What::AudioInput, "audio_input"),
    (What::AudioOutput, "audio_output"),
    (What::ImageInput, "image_input"),
    (What::ImageOutput, "image_output"),
    (What::Query, "query"),
];

const TIERS: &[(BilledTier, &str)] =
    &[(BilledTier::Batch, "batch"), (BilledTier::Flex, "flex"), (BilledTier::Priority, "priority")];

/// One rate and when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    what: What,
    /// The prompt has more tokens than this.
    above: u64,
    tier: BilledTier,
    rate: Rate,
}

impl Price {
    /// Of rates named as in the table; `None` when a name is none.
    pub fn new<'a>(source: Source, rates: impl IntoIterator<Item = (&'a str, Rate)>) -> Option<Self> {
        let rates: Option<Vec<_>> = rates.into_iter().map(|(name, rate)| Cell::new(name, rate)).collect();
        Some(Self { source, rates: rates?.into() })
    }

    /// Reads a line of the table: `input=3 output=15 input>200000=6 input@batch=1.5`.
    pub(super) fn parse(text: &str, source: Source) -> Option<Self> {
        let cell = |(name, price): (&str, &str)| Cell::new(name, Rate::per_million(price)?);
        let rates: Option<Vec<_>> = text.split(' ').map(|pair| pair.split_once('=').and_then(cell)).collect();
        Some(Self { source, rates: rates?.into() })
    }

    /// Every rate, named as in the table.
    pub fn rates(&self) -> impl Iterator<Item = (String, Rate)> {
        self.rates.iter().map(|cell| (cell.name(), cell.rate))
    }

    /// The ordinary rate of something, for prompts of ordinary length.
    pub fn rate(&self, what: What) -> Option<Rate> {
        self.at(what, 0, BilledTier::Standard)
    }

    pub(super) fn at(&self, what: What, above: u64, tier: BilledTier) -> Option<Rate> {
        self.rates.iter().find(|cell| (cell.what, cell.above, cell.tier) == (what, above, tier)).map(|cell| cell.rate)
    }

    /// Whether something has a rate of its own, whenever it may hold.
    pub(super) fn names(&self, what: What) -> bool {
        self.rates.iter().any(|cell| cell.what == what)
    }

    /// The bound above which a prompt of that length is priced; 0 for ordinary ones. A tier that has no prices above
    /// an ordinary bound has no price there at all.
    pub(super) fn bound(&self, input: u64, tier: BilledTier) -> u64 {
        let holds = |cell: &&Cell| cell.tier == BilledTier::Standard || cell.tier == tier;
        self.rates.iter().filter(holds).map(|cell| cell.above).filter(|above| *above < input).max().unwrap_or(0)
    }
}

impl Cell {
    /// `WHAT[>TOKENS][@TIER]`.
    fn new(name: &str, rate: Rate) -> Option<Self> {
        let (name, tier) = match name.split_once('@') {
            Some((name, tier)) => (name, TIERS.iter().find(|(_, word)| *word == tier)?.0),
            None => (name, BilledTier::Standard),
        };
        let (word, above) = match name.split_once('>') {
            Some((word, above)) => (word, above.parse().ok()?),
            None => (name, 0),
        };
        let (what, _) = WORDS.iter().find(|(_, known)| *known == word)?;
        Some(Self { what: *what, above, tier, rate })
    }

    fn name(&self) -> String {
        let word = WORDS.iter().find(|(what, _)| *what == self.what).map_or("", |(_, word)| word);
        let above = if self.above == 0 { String::new() } else { format!(">{}", self.above) };
        let tier =
            TIERS.iter().find(|(tier, _)| *tier == self.tier).map_or(String::new(), |(_, word)| format!("@{word}"));
        format!("{word}{above}{tier}")
    }
}
