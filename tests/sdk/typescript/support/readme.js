// The README's examples as programs.
import { readFileSync } from 'node:fs';

const README = new URL('../../../../clients/typescript/README.md', import.meta.url);

export function blocks() {
  return [...readFileSync(README, 'utf8').matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]);
}

/** The first example makes the client that the others go on with. */
export function program(block) {
  const client = block.includes('const client =') ? '' : "import { Prism as Client } from '@futureagi/prism';\nconst client = new Client();\n";
  return `${client}${block}export {};\n`;
}
