// None of these may compile: an expected error that does not happen is an error.
import { Prism, type ChatMessage } from '@futureagi/prism';

const client = new Prism();
const messages: ChatMessage[] = [{ role: 'user', content: 'Hi' }];

// @ts-expect-error a wrong option
new Prism({ api_key: 'x' });
// @ts-expect-error a wrong log level
new Prism({ logLevel: 'loud' });
// @ts-expect-error the key cannot be read
client.apiKey;
// @ts-expect-error no model
client.chat.completions.create({ messages });
// @ts-expect-error no messages
client.chat.completions.create({ model: 'm' });
// @ts-expect-error no parameters
client.chat.completions.create();
// @ts-expect-error a number that is text
client.chat.completions.create({ model: 'm', messages, temperature: '1' });
// @ts-expect-error a misspelt parameter
client.chat.completions.create({ model: 'm', messages, temprature: 1 });
// @ts-expect-error a camelCase parameter: bodies have wire names
client.chat.completions.create({ model: 'm', messages, maxTokens: 1 });
// @ts-expect-error stream is true or false
client.chat.completions.create({ model: 'm', messages, stream: 'yes' });
// @ts-expect-error an unknown role
client.chat.completions.create({ model: 'm', messages: [{ role: 'robot', content: '' }] });
// @ts-expect-error a tool message without the call that it answers
client.chat.completions.create({ model: 'm', messages: [{ role: 'tool', content: '' }] });
// @ts-expect-error an unknown part
client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: [{ type: 'smell', smell: '' }] }] });
// @ts-expect-error a path parameter is missing
client.models.retrieve({});
// @ts-expect-error a wrong call option
client.models.list({ retries: 1 });
// @ts-expect-error a wish that the gateway does not know
client.models.list({ prism: { provider_lock: 'x' } });
// @ts-expect-error a time limit that does not exist
client.models.list({ timeout: { read: 1 } });
// @ts-expect-error no such method
client.chat.completions.delete();

export async function results(): Promise<void> {
  const whole = await client.chat.completions.create({ model: 'm', messages });
  // @ts-expect-error an answer in one piece is no stream
  for await (const _ of whole);
  // @ts-expect-error a message, not a delta
  whole.choices[0]?.delta;
  // @ts-expect-error there may be no choice (noUncheckedIndexedAccess)
  whole.choices[0].message;
  // @ts-expect-error content may be null
  whole.choices[0]!.message.content.length;
  // @ts-expect-error cost may be unknown
  whole.prism.cost.toFixed(2);
  // @ts-expect-error read-only
  whole.prism.cost = 0;
  const stream = await client.chat.completions.create({ model: 'm', messages, stream: true });
  // @ts-expect-error a stream has no choices
  stream.choices;
  // @ts-expect-error a chunk has a delta
  for await (const chunk of stream) chunk.choices[0]?.message;
  // @ts-expect-error a promise is no stream
  for await (const _ of client.chat.completions.create({ model: 'm', messages, stream: true })) _.id.length;
  const either = await client.chat.completions.create({ model: 'm', messages, stream: Math.random() > 0.5 });
  // @ts-expect-error it may be a stream
  either.choices;
}
