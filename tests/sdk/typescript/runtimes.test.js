// The same claims in every runtime that fetches: Node, Deno, Bun, an edge runtime, a browser.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { EdgeVM } from '@edge-runtime/vm';
import { build } from 'esbuild';

import { startGateway } from '../../node/prism.js';

const HERE = import.meta.dirname;
const bin = (name) => join(HERE, 'node_modules/.bin', name);
let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway?.stop());

function judge(results) {
  const wrong = Object.entries(results).filter(([, error]) => error !== null);
  assert.ok(Object.keys(results).length > 10);
  assert.equal(wrong.length, 0, wrong.map(([claim, error]) => `${claim}: ${error}`).join('\n'));
}

for (const [name, program, args] of [
  ['Node', process.execPath, []],
  // Without the right to read the environment, which the SDK must bear.
  ['Deno', bin('deno'), ['run', '--no-prompt', '--allow-net', '--node-modules-dir=manual']],
  ['Bun', bin('bun'), ['run']],
]) {
  test(name, async () => {
    const env = { PATH: process.env.PATH, HOME: tmpdir(), DENO_NO_UPDATE_CHECK: '1' };
    const { stdout } = await promisify(execFile)(program, [...args, 'portable/run.mjs', gateway.origin], { cwd: HERE, env, timeout: 60_000 })
      .catch((error) => assert.fail(`${error.message}\n${error.stderr}`));
    judge(JSON.parse(stdout));
  });
}

/** The suite and the SDK as one script that leaves its results in `results`. */
async function bundle(base) {
  const contents = `import * as sdk from '@futureagi/prism'; import { suite } from './portable/suite.js'; globalThis.results = suite(sdk, ${base});`;
  const { outputFiles } = await build({ stdin: { contents, resolveDir: HERE }, bundle: true, write: false, format: 'iife', platform: 'browser', logLevel: 'silent' });
  return outputFiles[0].text;
}

test('an edge runtime', async () => {
  const vm = new EdgeVM();
  vm.evaluate(await bundle(JSON.stringify(gateway.origin)));
  judge(JSON.parse(JSON.stringify(await vm.evaluate('globalThis.results'))));
});

const chromium = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => path && existsSync(path));

test('a browser', { skip: chromium ? false : 'no Chromium: apt-get install chromium, or name one in CHROMIUM' }, async () => {
  let script;
  let report;
  const reported = new Promise((done) => (report = done));
  // The page has an origin of its own, and the gateway allows it.
  const site = createServer(async (request, response) => {
    if (request.url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end('<script src="/suite.js"></script>');
    if (request.url === '/suite.js') {
      const send = ';results.then((value) => fetch("/report", { method: "POST", body: JSON.stringify(value) }));';
      return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script + send);
    }
    if (request.url === '/report') {
      let body = '';
      for await (const part of request) body += part;
      response.end();
      return report(JSON.parse(body));
    }
    response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  const page = `http://127.0.0.1:${site.address().port}`;
  const elsewhere = await startGateway({ providers: { simulator: {} }, cors: { enabled: true, allowed_origins: [page] } });
  script = await bundle(JSON.stringify(elsewhere.origin));
  const profile = mkdtempSync(join(tmpdir(), 'prism-chromium-'));
  const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking', `--user-data-dir=${profile}`];
  const browser = spawn(chromium, [...options, `${page}/`], { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH, HOME: profile } });
  let said = '';
  browser.stderr.on('data', (data) => (said += data));
  const gone = once(browser, 'exit');
  try {
    const late = new Promise((_, fail) => setTimeout(() => fail(new Error(`no report within 60 s\n${said}`)), 60_000).unref());
    judge(await Promise.race([reported, late]));
  } finally {
    browser.kill('SIGKILL');
    await gone;
    site.closeAllConnections();
    site.close();
    await elsewhere.stop();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
