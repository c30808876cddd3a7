//! One connection, one request on it, one answer checked.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::options::Options;
use crate::reading::{Reading, contains};
use crate::tally::{Tally, micros};

pub type Connection = http1::SendRequest<Full<Bytes>>;

pub async fn connect(options: &Options) -> Result<Connection, String> {
    let connecting = timeout(Duration::from_secs(10), TcpStream::connect(options.addr));
    let stream = connecting.await.map_err(|_| "connect_timeout")?.map_err(|why| format!("connect:{:?}", why.kind()))?;
    let _ = stream.set_nodelay(true);
    let (connection, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(|why| why.to_string())?;
    tokio::spawn(async move {
        let _ = driver.await;
    });
    Ok(connection)
}

/// One request; `start` is where the clock starts. Returns whether the connection may be used again.
pub async fn one(options: &Options, connection: &mut Connection, start: Instant, tally: &mut Tally) -> bool {
    let error = match timeout(options.timeout, exchange(options, connection, start, tally)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => error,
        Err(_) => "timeout".into(),
    };
    tally.error(error);
    false
}

async fn exchange(
    options: &Options,
    connection: &mut Connection,
    start: Instant,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut request = Request::post(&options.path).header(HOST, &options.host).header(CONTENT_TYPE, "application/json");
    for (name, value) in &options.headers {
        request = request.header(name.as_str(), value.as_str());
    }
    let request = request.body(Full::new(options.body.clone())).map_err(|why| format!("request:{why}"))?;
    connection.ready().await.map_err(|_| "conn_closed".to_string())?;
    let response = connection
        .send_request(request)
        .await
        .map_err(|why| if why.is_incomplete_message() { "conn_closed".into() } else { format!("send:{why}") })?;
    let status = response.status();
    let mut body = response.into_body();
    let mut buffer: Vec<u8> = Vec::with_capacity(2048);
    let mut reading = Reading::new(options.anthropic, start);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| "body_broken".to_string())?;
        let Some(data) = frame.data_ref() else { continue };
        tally.bytes += data.len() as u64;
        buffer.extend_from_slice(data);
        if options.stream && status == StatusCode::OK {
            reading.take_lines(&mut buffer, Instant::now(), tally);
        }
    }
    let latency = micros(start.elapsed());
    if status != StatusCode::OK {
        tally.keep_body(&buffer);
        tally.error(format!("http_{}", status.as_u16()));
        return Ok(()); // an error in good form: the connection lives on
    }
    let usage = if options.stream {
        check_stream(options, &reading, tally)?;
        reading.usage
    } else {
        check_whole(&buffer, tally)?;
        contains(&buffer, b"_tokens\"")
    };
    tally.usage_seen += u64::from(usage);
    tally.ok += 1;
    tally.latency.push(latency);
    Ok(())
}

fn check_stream(options: &Options, reading: &Reading, tally: &mut Tally) -> Result<(), String> {
    let expected = options.expect_chunks;
    tally.chunks += reading.chunks;
    if !reading.done {
        // Helicone, for one, leaves [DONE] out: a stream that brought every chunk counts, with a note.
        if expected == 0 || reading.chunks != expected {
            return Err("stream_no_done".into());
        }
        tally.no_done += 1;
    }
    tally.ttft.push(reading.ttft.ok_or("stream_no_content")?);
    if expected > 0 && reading.chunks != expected {
        tally.error("stream_chunk_count"); // merged or lost: counted, the sample stays
    }
    Ok(())
}

fn check_whole(body: &[u8], tally: &mut Tally) -> Result<(), String> {
    if contains(body, b"\"content\"") || contains(body, b"\"embedding\"") {
        return Ok(());
    }
    tally.keep_body(body);
    Err("bad_answer".into())
}
