// Both module kinds by the compiler alone: `npm run build`.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(fileURLToPath(import.meta.url)));
const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
const compile = (project) =>
  execFileSync(process.execPath, [join(dirname(manifest), bin.tsc), '--project', project], { stdio: 'inherit' });

rmSync('dist', { recursive: true, force: true });
compile('tsconfig.json');
compile('tsconfig.cjs.json');
// Inside a package of type `module`, this is what makes the .js files beside it CommonJS.
writeFileSync('dist/cjs/package.json', '{ "type": "commonjs" }\n');
