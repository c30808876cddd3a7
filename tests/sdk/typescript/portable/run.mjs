// For runtimes with a command line.
import * as sdk from '@futureagi/prism';

import { suite } from './suite.js';

const base = globalThis.Deno ? Deno.args[0] : process.argv[2];
console.log(JSON.stringify(await suite(sdk, base)));
