// Sums the usage of each key and day from Prism's events, exactly once, for as long as it runs.
//
//   npm ci && npm start -- --url nats://127.0.0.1:4222 --totals totals.json
//
// The consumer is durable: JetStream remembers what was acknowledged. A message is acknowledged only when its sums are on disk, so that a
// crash in between brings it again; the ids that are kept beside the sums make that no double. `--once` ends when nothing is left.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const STREAM = "PRISM_USAGE";
const REMEMBERED = 100_000; // ids; more than can be unacknowledged at once

type UsageEvent = {
  request_id: string;
  started_at: string;
  key_id?: string;
  tokens?: { input: number; output: number };
  cost_usd?: string;
};

type Total = { requests: number; input: number; output: number; cost_usd: string; unpriced: number };

// Dollars are decimals with up to 18 places: summed as whole attodollars, never as floating point.
const ATTO = 18;

function atto(dollars: string): bigint {
  const [whole, part = ""] = dollars.split(".");
  return BigInt(whole + part.padEnd(ATTO, "0"));
}

function dollars(amount: bigint): string {
  const digits = amount.toString().padStart(ATTO + 1, "0");
  const part = digits.slice(-ATTO).replace(/0+$/, "");
  return digits.slice(0, -ATTO) + (part && `.${part}`);
}

// Sums by key and day, and the ids that they hold, in one file that is replaced as a whole.
class Totals {
  readonly path: string;
  readonly totals: Record<string, Total>;
  readonly seen: Set<string>;

  constructor(path: string) {
    const kept = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : { totals: {}, seen: [] };
    this.path = path;
    this.totals = kept.totals;
    this.seen = new Set(kept.seen);
  }

  add(event: UsageEvent): void {
    if (this.seen.has(event.request_id)) return; // it was counted, and its acknowledgement was lost
    this.seen.add(event.request_id);
    const name = `${event.key_id ?? "-"} ${event.started_at.slice(0, 10)}`;
    const total = (this.totals[name] ??= { requests: 0, input: 0, output: 0, cost_usd: "0", unpriced: 0 });
    total.requests += 1;
    total.input += event.tokens?.input ?? 0;
    total.output += event.tokens?.output ?? 0;
    if (event.cost_usd) total.cost_usd = dollars(atto(total.cost_usd) + atto(event.cost_usd));
    else if (event.tokens) total.unpriced += 1; // unknown is not zero
  }

  save(): void {
    const seen = [...this.seen].slice(-REMEMBERED);
    writeFileSync(`${this.path}.new`, JSON.stringify({ totals: this.totals, seen }, null, 1));
    renameSync(`${this.path}.new`, this.path);
  }
}

const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: "nats://127.0.0.1:4222" },
    totals: { type: "string", default: "totals.json" },
    durable: { type: "string", default: "usage-by-key" },
    once: { type: "boolean", default: false },
  },
});

const connection = await connect({ servers: options.url });
const manager = await jetstreamManager(connection);
await manager.consumers.add(STREAM, {
  durable_name: options.durable,
  ack_policy: AckPolicy.Explicit,
  ack_wait: 30e9,
  filter_subject: "prism.usage.v1.>",
});
const consumer = await jetstream(connection).consumers.get(STREAM, options.durable);
const totals = new Totals(options.totals!);
for (;;) {
  const messages = [];
  for await (const message of await consumer.fetch({ max_messages: 500, expires: 1000 })) messages.push(message);
  if (messages.length === 0) {
    if (options.once) break;
    continue;
  }
  for (const message of messages) totals.add(message.json<UsageEvent>());
  totals.save();
  for (const message of messages) message.ack();
}
await connection.drain();
for (const [name, total] of Object.entries(totals.totals).sort()) {
  console.log(name, total.requests, total.input, total.output, total.cost_usd);
}
