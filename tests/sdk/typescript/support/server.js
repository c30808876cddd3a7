// A scripted gateway, for what the real one never does.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** `server.answer = (request, response, body) => …` is its script; `server.requests` is what came. */
export async function startServer() {
  const server = { answer: json({}), requests: [], closed: 0 };
  const http = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const { method, url, headers } = request;
    server.requests.push({ method, url, headers, body, at: Date.now() });
    response.on('close', () => (server.closed += response.writableFinished ? 0 : 1));
    server.answer(request, response, body);
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  server.origin = `http://127.0.0.1:${http.address().port}`;
  server.stop = () => {
    http.closeAllConnections();
    return new Promise((done) => http.close(done));
  };
  /** A new script, and nothing remembered. */
  server.play = (answer) => {
    Object.assign(server, { answer, requests: [], closed: 0 });
    return server;
  };
  return server;
}

export function json(body, status = 200, headers = {}) {
  return (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function failing(status, headers = {}) {
  return json({ error: { message: 'because', type: 'scripted', param: 'model', code: 'some_code' } }, status, headers);
}

/** One script after the other; the last one stays. */
export function inTurn(...answers) {
  let at = 0;
  return (...args) => answers[Math.min(at++, answers.length - 1)](...args);
}

export const chunk = (content, extra = {}) => ({
  id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: null }], ...extra,
});

/** Events in these pieces (strings or bytes); then `end(response)`. */
export function events(pieces, end = (response) => response.end(), headers = {}) {
  return async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    response.flushHeaders();
    for (const piece of pieces) {
      response.write(piece);
      await new Promise(setImmediate);
    }
    end(response);
  };
}

export const event = (value) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

/** Until the client leaves. */
export function endless(_, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = setInterval(() => response.write(event(chunk('a'))), 5);
  response.on('close', () => clearInterval(timer));
}
