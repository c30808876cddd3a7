// Every operation of the control plane, and the sample of the README as it is printed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { NotFoundError, PermissionDeniedError, Prism } from '@futureagi/prism';

import { startGateway } from '../../node/prism.js';

const document = JSON.parse(readFileSync(new URL('../../../openapi/openapi.json', import.meta.url), 'utf8'));
const operations = Object.values(document.paths).flatMap((item) => Object.values(item))
  .filter((operation) => operation['x-sdk-server'] === 'control_plane');

const config = { providers: { house: { type: 'simulator' } }, model_map: { fast: 'echo' } };
const policy = { name: 'gold', condition: { 'metadata.tier': 'gold' }, action: { provider: 'house' } };

/** What is called, with an organisation of its own and a key in it. */
const CALLS = {
  'org_configs.list': (client) => client.orgConfigs.list(),
  'org_configs.create': (client, orgId) => client.orgConfigs.create({ orgId: `${orgId}-new`, config }),
  'org_configs.retrieve': (client, orgId) => client.orgConfigs.retrieve({ orgId }),
  'org_configs.replace': (client, orgId) => client.orgConfigs.replace({ orgId, config, ifMatch: '*' }),
  'org_configs.update': (client, orgId) => client.orgConfigs.update({ orgId, config: { model_map: { slow: 'lorem' } } }),
  'org_configs.delete': (client, orgId) => client.orgConfigs.delete({ orgId }),
  'org_configs.versions': (client, orgId) => client.orgConfigs.versions({ orgId }),
  'org_configs.diff': (client, orgId) => client.orgConfigs.diff({ orgId }),
  'org_configs.rollback': (client, orgId) => client.orgConfigs.rollback({ orgId, version: 1 }),
  'org_configs.validate': (client, orgId) => client.orgConfigs.validate({ orgId, config }),
  'keys.create': (client, orgId) => client.keys.create({ orgId, name: 'another' }),
  'keys.list': (client, orgId) => client.keys.list({ orgId }),
  'keys.retrieve': (client, orgId, keyId) => client.keys.retrieve({ orgId, keyId }),
  'keys.update': (client, orgId, keyId) => client.keys.update({ orgId, keyId, models: ['echo'] }),
  'keys.rotate': (client, orgId, keyId) => client.keys.rotate({ orgId, keyId, overlap_seconds: 60 }),
  'keys.delete': (client, orgId, keyId) => client.keys.delete({ orgId, keyId }),
  'routing.list': (client, orgId) => client.routing.list({ orgId }),
  'routing.create': (client, orgId) => client.routing.create({ orgId, ...policy, name: 'silver' }),
  'routing.update': (client, orgId) => client.routing.update({ orgId, name: 'gold', priority: 3 }),
  'routing.delete': (client, orgId) => client.routing.delete({ orgId, name: 'gold' }),
  'provider_types.list': (client) => client.providerTypes.list(),
  'providers.list': (client, orgId) => client.providers.list({ orgId }),
  'providers.test': (client, orgId) => client.providers.test({ orgId, provider: 'house' }),
};

let gateway, client;
before(async () => {
  gateway = await startGateway(undefined, '--control-plane');
  const apiKey = readFileSync(join(gateway.folder, 'data/owner.key'), 'utf8').trim();
  client = new Prism({ apiKey, baseUrl: gateway.origin, controlPlaneUrl: gateway.origin, maxRetries: 0, timeout: 20_000 });
});
after(() => gateway?.stop());

test('every operation has a call in this file', () => {
  assert.deepEqual(Object.keys(CALLS).sort(), operations.map((operation) => operation['x-sdk-method']).sort());
});

for (const operation of operations) {
  const name = operation['x-sdk-method'];
  test(`client.${name} answers`, async () => {
    const orgId = name.replaceAll('.', '-');
    await client.orgConfigs.create({ orgId, config });
    await client.routing.create({ orgId, ...policy });
    const { id } = await client.keys.create({ orgId, name: 'app' });
    const answer = await CALLS[name](client, orgId, id);
    const schema = document.components.schemas[operation.responses['200'].content['application/json'].schema.$ref.split('/').pop()];
    if (answer.iterPages) return assert.ok(answer.data.length > 0);
    for (const member of schema.required) assert.ok(member in answer, `${member} of ${JSON.stringify(answer)}`);
  });
}

test('the sample', async () => {
  const made = await client.orgConfigs.create({
    orgId: 'acme',
    config: { providers: { openai: { api_key: 'sk-canary', api_format: 'openai', models: ['gpt-4o'] }, simulator: {} } },
  });
  assert.equal(made.config.providers.openai.api_key.set, true);
  assert.ok(!JSON.stringify(made).includes('canary'));
  const { key, budget } = await client.keys.create({ orgId: 'acme', name: 'search', models: ['echo', 'gpt-*'], budget: { limit: 50 } });
  assert.equal(budget.limit, 50);
  const theirs = new Prism({ apiKey: key, baseUrl: gateway.origin, maxRetries: 0 });
  const answer = await theirs.chat.completions.create({ model: 'simulator/echo', messages: [{ role: 'user', content: 'hi' }] });
  assert.equal(answer.choices[0].message.content, 'hi');
  await assert.rejects(theirs.orgConfigs.retrieve({ orgId: 'acme' }), PermissionDeniedError);
  await assert.rejects(client.orgConfigs.retrieve({ orgId: 'nobody' }), NotFoundError);
});
