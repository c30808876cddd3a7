// The SDK's types for strict consumers: both compilers, both module kinds, with and without the DOM's types.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { blocks, program } from './support/readme.js';

const HERE = import.meta.dirname;
const strict = {
  noEmit: true, strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true, verbatimModuleSyntax: true, isolatedModules: true, skipLibCheck: false, target: 'es2022',
};
const KINDS = {
  'Node, without the DOM': { module: 'nodenext', moduleResolution: 'nodenext', lib: ['es2022'], types: ['node'] },
  'a bundler, with the DOM': { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom', 'dom.iterable'], types: ['node'] },
};

async function compile(compiler, compilerOptions, files) {
  const folder = mkdtempSync(join(HERE, '.types-'));
  try {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files: files(folder) }));
    const bin = join(HERE, 'node_modules', compiler, 'bin/tsc');
    await promisify(execFile)(process.execPath, [bin, '-p', folder]).catch((error) => assert.fail(error.stdout + error.stderr));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [name, compiler] of [['TypeScript 7.0', 'typescript'], ['TypeScript 5.9', 'typescript-5']]) {
  for (const [kind, options] of Object.entries(KINDS)) {
    test(`${name}, ${kind}: what is right compiles, what is wrong does not`, () =>
      compile(compiler, options, () => ['good.ts', 'bad.ts'].map((file) => join(HERE, 'types', file))));
  }
  test(`${name}: CommonJS`, () =>
    compile(compiler, KINDS['Node, without the DOM'], () => [join(HERE, 'types/commonjs.cts')]));
  test(`${name}: the README's examples`, () =>
    compile(compiler, KINDS['Node, without the DOM'], (folder) => blocks().map((block, i) => {
      const file = join(folder, `example${i}.mts`);
      writeFileSync(file, program(block));
      return file;
    })));
}

test('a wrong example is noticed', async () => {
  await assert.rejects(compile('typescript', KINDS['Node, without the DOM'], (folder) => {
    writeFileSync(join(folder, 'wrong.mts'), "import { Prism } from '@futureagi/prism';\nnew Prism({ apiKey: 1 });\n");
    return [join(folder, 'wrong.mts')];
  }), /wrong\.mts\(2,\d+\): error TS2322/);
});
