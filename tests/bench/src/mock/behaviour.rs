//! What the mock does with a request: how long it waits, how much it says, how it fails.

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fault {
    /// Answer with `error_status`.
    Status,
    /// Reset the connection before any answer.
    Reset,
    /// Accept and never answer (bounded by `hang_ms`).
    Hang,
    /// Start a stream and drop the connection half way.
    Cut,
}

#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Fixed latency, or the median when `latency_sigma` > 0.
    pub latency_ms: f64,
    /// Sigma of a lognormal latency; 0 is fixed.
    pub latency_sigma: f64,
    pub chunks: u32,
    pub interval_ms: f64,
    pub chunk_bytes: usize,
    pub resp_bytes: usize,
    pub embed_dim: usize,
    /// Share of requests that meet `error_kind`, 0 to 1.
    pub error_ratio: f64,
    pub error_status: u16,
    /// Seconds in `Retry-After` of an injected status; 0 leaves the header out.
    pub retry_after: u64,
    pub error_kind: Fault,
    pub hang_ms: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            latency_ms: 0.0,
            latency_sigma: 0.0,
            chunks: 100,
            interval_ms: 0.0,
            chunk_bytes: 5,
            resp_bytes: 700,
            embed_dim: 256,
            error_ratio: 0.0,
            error_status: 500,
            retry_after: 0,
            error_kind: Fault::Status,
            hang_ms: 120_000,
        }
    }
}

impl Behaviour {
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<f64>().map_err(|_| format!("bad value {key}={value}"));
        match key {
            "latency_ms" => self.latency_ms = number()?,
            "latency_sigma" => self.latency_sigma = number()?,
            "chunks" => self.chunks = number()? as u32,
            "interval_ms" => self.interval_ms = number()?,
            "chunk_bytes" => self.chunk_bytes = (number()? as usize).clamp(1, 1 << 20),
            "resp_bytes" => self.resp_bytes = (number()? as usize).min(16 << 20),
            "embed_dim" => self.embed_dim = (number()? as usize).min(1 << 16),
            "error_ratio" => self.error_ratio = number()?,
            "error_status" => self.error_status = number()? as u16,
            "retry_after" => self.retry_after = number()? as u64,
            "hang_ms" => self.hang_ms = number()? as u64,
            "error_kind" => {
                self.error_kind = match value {
                    "status" => Fault::Status,
                    "reset" => Fault::Reset,
                    "hang" => Fault::Hang,
                    "cut" => Fault::Cut,
                    _ => return Err(format!("bad value {key}={value}")),
                }
            }
            _ => return Err(format!("unknown key {key}")),
        }
        Ok(())
    }

    /// Settings written as `key=value,key=value`, the form of the model suffix and of `x-mock`.
    pub fn set_list(&mut self, list: &str) -> Result<(), String> {
        for pair in list.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("not k=v: {pair}"))?;
            self.set(key.trim(), value.trim())?;
        }
        Ok(())
    }

    /// Everything that the pre-built answers depend on.
    pub fn shape(&self) -> (u32, usize, usize, usize) {
        (self.chunks, self.chunk_bytes, self.resp_bytes, self.embed_dim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_sets_several_and_names_what_it_does_not_know() {
        let mut behaviour = Behaviour::default();
        behaviour.set_list("latency_ms=20, chunks=5,error_kind=cut").unwrap();
        assert_eq!((behaviour.latency_ms, behaviour.chunks, behaviour.error_kind), (20.0, 5, Fault::Cut));
        assert_eq!(behaviour.set_list("chunk=5"), Err("unknown key chunk".into()));
        assert_eq!(behaviour.set_list("chunks=five"), Err("bad value chunks=five".into()));
        assert_eq!(behaviour.set_list("chunks"), Err("not k=v: chunks".into()));
    }
}
