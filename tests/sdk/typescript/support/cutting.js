// A proxy that cuts connections: after so many bytes of the answer the client loses the first, the second, …
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** `after`: bytes until each cut; connections after them are whole. */
export async function startCutting(origin, ...after) {
  const proxy = { connections: 0 };
  const open = new Set();
  const server = createServer((client) => {
    proxy.connections++;
    let left = after.shift() ?? Infinity;
    const gateway = connect(Number(new URL(origin).port), '127.0.0.1');
    for (const socket of [client, gateway]) {
      open.add(socket);
      socket.on('error', () => {}).on('close', () => (client.destroy(), gateway.destroy(), open.delete(socket)));
    }
    client.on('data', (data) => gateway.write(data));
    gateway.on('data', (data) => {
      if (data.length < left) {
        left -= data.length;
        client.write(data);
      } else {
        gateway.destroySoon();
        client.end(data.subarray(0, left), () => client.destroySoon());
        left = 0;
      }
    });
    gateway.on('end', () => client.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.origin = `http://127.0.0.1:${server.address().port}`;
  proxy.stop = () => {
    for (const socket of open) socket.destroy();
    return new Promise((done) => server.close(done));
  };
  return proxy;
}
