// The types of what the document of tomorrow makes.
import { Prism, toFile, type Batch } from './sdk/src/index.js';

export async function use(client: Prism): Promise<void> {
  const { text } = await client.audio.transcriptions.create({ file: await toFile('x', 'a.mp3'), model: 'm', language: null });
  const speech: Blob = await (await client.audio.speech.create({ input: text })).blob();
  const config = await client.orgConfigs.create({ orgId: 'acme', config: { providers: {} } });
  const nothing: void = await client.orgConfigs.delete({ orgId: 'acme' });
  await client.orgConfigs.retrieve({ orgId: 'acme', withSecrets: true });
  for await (const batch of client.batches.list()) void (batch satisfies Batch).status;
  const page = await client.batches.list({ pageSize: 2 });
  void [speech, config.prism.requestId, nothing, page.data[0]?.id, page.prism.requestId];
  // @ts-expect-error the configuration is one argument
  void client.orgConfigs.create({ orgId: 'acme', providers: {} });
  // @ts-expect-error a recording is no number
  void client.audio.transcriptions.create({ file: 1, model: 'm' });
  // @ts-expect-error the cursor is text
  void client.batches.list({ cursor: 1 });
}
