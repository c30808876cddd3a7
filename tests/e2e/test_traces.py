"""Traces: what a collector gets, read by OpenTelemetry's own types, and the context that goes in and out."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from support.gateway import ONE_TRY, Gateway, ask, provider
from support.upstream import completion, error_reply, json_reply, sse, stream_frames
from support.waiting import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


@pytest.fixture(scope="module")
def collector(third):
    return third


@pytest.fixture(scope="module")
def gateway(upstream, second, collector):
    providers = {"acme": provider(upstream), "first": provider(upstream, "twin"), "second": provider(second, "twin")}
    otel = {"endpoint": collector.base_url.removesuffix("/v1"), "headers": {"x-token": "sk-canary-collector"}}
    with Gateway({"providers": providers, "routing": ONE_TRY, "otel": otel}) as gateway:
        yield gateway
        assert "sk-canary-collector" not in gateway.output


def spans(collector, count):
    """The spans that have come, when there are that many, by their attributes."""
    def come():
        found = []
        for request in list(collector.requests):
            assert (request.method, request.path) == ("POST", "/v1/traces")
            assert request.header("content-type") == "application/x-protobuf"
            assert request.header("x-token") == "sk-canary-collector"
            parsed = ExportTraceServiceRequest.FromString(request.body)
            for resource in parsed.resource_spans:
                assert {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"] == "prism"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found if len(found) >= count else None

    found = eventually(come, what=f"{count} spans")
    assert len(found) == count
    return found


def attributes(span):
    def value(any_value):
        kind = any_value.WhichOneof("value")
        if kind == "array_value":
            return [value(one) for one in any_value.array_value.values]
        return getattr(any_value, kind)

    return {one.key: value(one.value) for one in span.attributes}


def test_a_request_and_its_attempts_are_spans_of_the_callers_trace(gateway, upstream, second, collector):
    collector.always(json_reply({}))
    upstream.script(error_reply(503, "away"))
    second.script(json_reply(completion("hello")))
    reply = gateway.chat(ask("twin"), [("traceparent", SAMPLED), ("x-prism-session-id", "s1"),
                                       ("x-prism-config", '{"failover": {"enabled": true, "max_attempts": 2}}')])
    assert reply.status == 200 and reply.header("x-prism-trace-id") == TRACE
    whole, failed, answered = spans(collector, 3)
    assert {span.trace_id.hex() for span in (whole, failed, answered)} == {TRACE}
    assert whole.parent_span_id.hex() == PARENT and whole.kind == Span.SPAN_KIND_SERVER and whole.name == "chat twin"
    said = attributes(whole)
    expected = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "twin", "gen_ai.provider.name": "second",
                "gen_ai.conversation.id": "s1", "gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 7,
                "gen_ai.response.finish_reasons": ["stop"], "http.response.status_code": 200,
                "prism.request_id": reply.header("x-prism-request-id"), "http.route": "/v1/chat/completions"}
    assert {name: said.get(name) for name in expected} == expected and whole.status.code == Status.STATUS_CODE_UNSET
    for attempt in (failed, answered):
        assert attempt.parent_span_id == whole.span_id and attempt.kind == Span.SPAN_KIND_CLIENT
        assert whole.start_time_unix_nano <= attempt.start_time_unix_nano <= attempt.end_time_unix_nano
        assert attempt.end_time_unix_nano <= whole.end_time_unix_nano + 1_000_000
    assert attributes(failed)["http.response.status_code"] == 503 and failed.status.code == Status.STATUS_CODE_ERROR
    assert attributes(answered)["prism.attempt.kind"] == "failover"
    # what each provider was told is the span of its attempt
    for told, span in ((upstream.requests[0], failed), (second.requests[0], answered)):
        assert told.header("traceparent") == f"00-{TRACE}-{span.span_id.hex()}-01"


def test_a_request_without_a_trace_gets_one_and_a_caller_that_declines_gets_none(gateway, upstream, collector):
    collector.always(json_reply({}))
    upstream.always(sse(*stream_frames("he", "llo", usage=True)))
    declined = gateway.chat(ask(stream=True), [("traceparent", NOT_SAMPLED)])
    assert declined.status == 200 and upstream.requests[0].header("traceparent") is None
    reply = gateway.chat(ask(stream=True), [("traceparent", "rubbish")])
    whole, attempt = spans(collector, 2)
    assert whole.trace_id.hex() == reply.header("x-prism-trace-id") and not whole.parent_span_id
    assert attributes(whole)["gen_ai.response.time_to_first_chunk"] >= 0
    assert attributes(attempt)["prism.attempt.outcome"] == "answered"


def test_a_collector_that_is_away_costs_traces_and_nothing_else(gateway, upstream, collector):
    collector.always(error_reply(400, "no"))
    upstream.always(json_reply(completion("hello")))
    before = gateway.metrics().total("prism_traces_dropped_total")
    assert gateway.chat(ask()).status == 200
    eventually(lambda: gateway.metrics().total("prism_traces_dropped_total") == before + 1, what="one that is dropped")
    assert len(collector.requests) == 1, "400 is not tried again"
    assert gateway.output.count("does not take traces") == 1


def test_what_waits_is_sent_when_the_gateway_stops(upstream, collector):
    collector.always(json_reply({}))
    upstream.script(json_reply(completion("hello")))
    otel = {"endpoint": f"{collector.base_url}/traces", "sample_rate": 1}
    with Gateway({"providers": {"acme": provider(upstream)}, "otel": otel}) as gateway:
        assert gateway.chat(ask()).status == 200
    assert len(ExportTraceServiceRequest.FromString(collector.requests[0].body).resource_spans[0].scope_spans[0].spans) == 2


def test_nothing_is_traced_where_nobody_asked_for_it(upstream):
    upstream.script(json_reply(completion("hello")))
    with Gateway({"providers": {"acme": provider(upstream)}}) as gateway:
        gateway.chat(ask(), [("traceparent", SAMPLED)])
    assert upstream.requests[0].header("traceparent") is None
