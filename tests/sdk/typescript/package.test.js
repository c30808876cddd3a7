// What would be published, installed where nothing else is.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { startGateway } from '../../node/prism.js';

const SDK = join(import.meta.dirname, '../../../clients/typescript');
const run = promisify(execFile);
let gateway, folder, contents;
before(async () => {
  gateway = await startGateway();
  folder = mkdtempSync(join(tmpdir(), 'prism-package-'));
  const { stdout } = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], { cwd: SDK });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  contents = packed.files.map((file) => file.path).sort();
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', `./${packed.filename}`], { cwd: folder });
});
after(async () => {
  rmSync(folder, { recursive: true });
  await gateway?.stop();
});

test('the tarball holds both builds, the types, two pages, and nothing else', () => {
  const modules = readdirSync(join(SDK, 'src'), { recursive: true }).filter((name) => name.endsWith('.ts')).map((name) => name.slice(0, -3));
  const built = modules.flatMap((name) => ['esm', 'cjs'].flatMap((kind) => ['js', 'd.ts'].map((end) => `dist/${kind}/${name}.${end}`)));
  assert.deepEqual(contents, ['README.md', 'api.md', 'dist/cjs/package.json', 'package.json', ...built].sort());
});

test('nothing else is installed with it', () => {
  assert.deepEqual(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.')), ['@futureagi']);
  assert.deepEqual(readdirSync(join(folder, 'node_modules/@futureagi')), ['prism']);
  const { dependencies, scripts, ...rest } = JSON.parse(readFileSync(join(folder, 'node_modules/@futureagi/prism/package.json'), 'utf8'));
  assert.equal(dependencies, undefined);
  assert.ok(!['preinstall', 'install', 'postinstall'].some((name) => name in (scripts ?? {})), 'no code runs on installation');
  assert.equal(rest.sideEffects, false);
});

const use = `
const client = new Prism({ baseUrl: process.argv[2] });
(async () => {
  let text = '';
  const hello = { model: 'simulator/echo', messages: [{ role: 'user', content: 'over and out' }] };
  for await (const chunk of await client.chat.completions.create({ ...hello, stream: true })) text += chunk.choices[0]?.delta.content ?? '';
  const error = await client.models.retrieve({ model: 'nothing' }).catch((error) => error);
  console.log(text, error instanceof NotFoundError, Default === Prism, VERSION);
})();`;

for (const [file, code] of [
  ['app.mjs', `import Default, { NotFoundError, Prism, VERSION } from '@futureagi/prism';${use}`],
  ['app.cjs', `const { default: Default, NotFoundError, Prism, VERSION } = require('@futureagi/prism');${use}`],
  ['dynamic.cjs', `(async () => { const { default: Default, NotFoundError, Prism, VERSION } = await import('@futureagi/prism');${use} })();`],
]) {
  test(`${file} runs`, async () => {
    writeFileSync(join(folder, file), code);
    const { stdout, stderr } = await run(process.execPath, ['--no-deprecation', file, gateway.origin], { cwd: folder, env: { PATH: process.env.PATH } });
    assert.match(stdout, /^over and out true true \d+\.\d+\.\d+\n$/);
    assert.equal(stderr, '');
  });
}

test('a program ends when its last request did', async () => {
  writeFileSync(join(folder, 'quick.mjs'), `import { Prism } from '@futureagi/prism';
    const client = new Prism({ baseUrl: process.argv[2] });
    await client.models.list();
    for await (const _ of await client.chat.completions.create({ model: 'simulator/lorem?tokens=500', messages: [{ role: 'user', content: '' }], stream: true })) break;
    await client.models.list().asResponse().then((response) => response.text());`);
  const began = Date.now();
  await run(process.execPath, ['quick.mjs', gateway.origin], { cwd: folder, timeout: 20_000 });
  assert.ok(Date.now() - began < 8_000, `${Date.now() - began} ms`);
});

test('the committed lock file is the manifest\'s', () => {
  const manifest = JSON.parse(readFileSync(join(SDK, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(SDK, 'package-lock.json'), 'utf8'));
  assert.equal(lock.version, manifest.version);
  assert.deepEqual(lock.packages[''].devDependencies, manifest.devDependencies);
  assert.equal(lock.packages['node_modules/typescript'].version, manifest.devDependencies.typescript);
});
