// Starts the built gateway, and a scripted provider for it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPO = join(dirname(fileURLToPath(import.meta.url)), '../..');
const BINARY = process.env.PRISM_BIN ?? join(REPO, 'target/debug/prism');

/** A port that nobody listens on, and not one of those that the kernel gives to outgoing connections by itself. */
async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createSocketServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(() => true, () => false);
    if (!isFree) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
}

/** Until the condition holds. */
export async function eventually(condition, what, seconds = 10) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** The gateway with this configuration (JSON is YAML too), or with none, and further arguments. */
export async function startGateway(config, ...more) {
  const folder = mkdtempSync(join(tmpdir(), 'prism-node-'));
  const port = await freePort();
  const args = ['--host', '127.0.0.1', '--port', String(port), ...more];
  if (config) {
    const file = join(folder, 'prism.yaml');
    writeFileSync(file, JSON.stringify({ server: { shutdown_timeout: '2s' }, ...config }));
    args.push('--config', file);
  }
  const child = spawn(BINARY, args, { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const ended = new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code, signal) => done(code ?? signal));
  });
  const origin = `http://127.0.0.1:${port}`;
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}\n${output}`);
      return fetch(`${origin}/readyz`).then((reply) => reply.ok, () => false);
    }, 'the gateway', 30);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    origin,
    folder,
    baseURL: `${origin}/v1`,
    /** Must end with 0 and without a panic. */
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const code = await ended;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
      if (code !== 0 || output.includes('panicked')) throw new Error(`exit ${code}\n${output}`);
    },
  };
}

/** A provider; `upstream.answer = (request, response, body) => …` is its script. */
export async function startUpstream() {
  const upstream = { answer: (_, response) => response.writeHead(404).end(), closed: 0 };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    response.on('close', () => (upstream.closed += response.writableFinished ? 0 : 1));
    upstream.answer(request, response, JSON.parse(Buffer.concat(parts).toString() || 'null'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  upstream.baseURL = `http://127.0.0.1:${server.address().port}/v1`;
  upstream.stop = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return upstream;
}

/** Answers with this error. */
export function failing(status, headers = {}) {
  return (_, response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ error: { message: 'because', type: 'scripted', param: null, code: 'some_code' } }));
}
