// Each example of the README runs, against a gateway with no configuration.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { transform } from 'esbuild';

import { startGateway } from '../../node/prism.js';
import { blocks, program } from './support/readme.js';

let gateway, folder;
before(async () => {
  gateway = await startGateway();
  folder = mkdtempSync(join(import.meta.dirname, '.readme-'));
});
after(async () => {
  rmSync(folder, { recursive: true });
  await gateway?.stop();
});

const SAYS = [/Hello\nsimulator null req_/, /lorem/i, /aborted\ntoo late/, /404 model_not_found/, /200 req_[\s\S]*"object"/, /my-trace/, /\d/];

test('no example is unknown to the tests', () => assert.equal(blocks().length, SAYS.length));

for (const [i, block] of blocks().entries()) {
  test(`example ${i + 1}`, async () => {
    const { code } = await transform(program(block), { loader: 'ts', format: 'esm' });
    const file = join(folder, `example${i}.mjs`);
    writeFileSync(file, code);
    const env = { PATH: process.env.PATH, PRISM_BASE_URL: gateway.origin };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { env, timeout: 30_000 });
    assert.match(stdout, SAYS[i]);
    assert.equal(stderr, '');
  });
}
