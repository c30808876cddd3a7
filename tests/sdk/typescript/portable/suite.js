// What has to work wherever there is `fetch`. No test runner, nothing of Node's.

/** Each claim with what went wrong, or null. */
export async function suite(sdk, baseUrl) {
  const { Prism } = sdk;
  const client = new Prism({ baseUrl, apiKey: 'sk-prism-canary', maxRetries: 0, dangerouslyAllowBrowser: true });
  const messages = [{ role: 'user', content: 'hello there' }];
  const stream = (model, options) => client.chat.completions.create({ model: `simulator/${model}`, messages, stream: true }, options);
  const text = (part) => part.choices[0]?.delta.content ?? '';
  const read = async (parts) => {
    let all = '';
    for await (const part of parts) all += text(part);
    return all;
  };
  const equal = (got, wanted) => {
    if (got !== wanted) throw new Error(`${got} instead of ${wanted}`);
  };
  const fails = async (kind, call) => {
    const error = await Promise.resolve().then(call).then(() => null, (error) => error);
    if (!(error instanceof kind)) throw new Error(`${error?.name}: ${error?.message} instead of ${kind.name}`);
    return error;
  };
  const within = async (milliseconds, call) => {
    const began = Date.now();
    await call();
    if (Date.now() - began > milliseconds) throw new Error(`it took ${Date.now() - began} ms`);
  };

  const claims = {
    'chat answers': async () => {
      const answer = await client.chat.completions.create({ model: 'simulator/echo', messages });
      equal(answer.choices[0].message.content, 'hello there');
      equal(answer.prism.provider, 'simulator');
    },
    'a stream is read': async () => equal(await read(await stream('echo')), 'hello there'),
    'a thousand chunks are read': async () => equal((await read(await stream('lorem?tokens=1000'))).trim().split(/\s+/).length, 1000),
    'a loop may be left': async () => {
      for await (const _ of await stream('lorem?tokens=100000&pace=5ms')) break;
    },
    'a signal ends a stream': () => within(3_000, async () => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 100);
      await fails(sdk.APIUserAbortError, async () => read(await stream('lorem?stall=1', { signal: abort.signal })));
    }),
    'its controller ends a stream quietly': () => within(3_000, async () => {
      const stalled = await stream('lorem?stall=1');
      setTimeout(() => stalled.controller.abort(), 100);
      await read(stalled);
    }),
    'silence is a timeout': () => within(3_000, () =>
      fails(sdk.APIConnectionTimeoutError, async () => read(await stream('lorem?stall=1', { timeout: { idle: 100 } })))),
    'no answer is a timeout': () => within(3_000, () =>
      fails(sdk.APIConnectionTimeoutError, () => client.chat.completions.create({ model: 'simulator/echo?latency=9s', messages }, { timeout: 100 }))),
    'a signal ends a request': () => within(3_000, async () => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 100);
      await fails(sdk.APIUserAbortError, () => client.chat.completions.create({ model: 'simulator/echo?latency=9s', messages }, { signal: abort.signal }));
    }),
    'a stream that is cut throws': () => fails(sdk.APIError, async () => read(await stream('lorem?cut=2'))),
    'tee': async () => {
      const [left, right] = (await stream('echo')).tee();
      equal(await read(left), await read(right));
    },
    'a readable stream of events, and back': async () => {
      const readable = (await stream('echo')).toReadableStream();
      equal(await read(sdk.Stream.fromReadableStream(new Response(readable).body)), 'hello there');
    },
    'errors are typed': async () => {
      const error = await fails(sdk.NotFoundError, () => client.models.retrieve({ model: 'nothing' }));
      equal(error.status, 404);
      await fails(sdk.RateLimitError, () => client.chat.completions.create({ model: 'simulator/echo?status=429', messages }));
      await fails(sdk.APIConnectionError, () => client.withOptions({ baseUrl: 'http://127.0.0.1:9' }).models.list());
    },
    'the response itself': async () => {
      const { data, response, requestId } = await client.models.list().withResponse();
      equal(response.status, 200);
      equal(data.object, 'list');
      equal(/^req_/.test(requestId), true);
      equal((await client.models.list().asResponse()).bodyUsed, false);
    },
    'bytes': async () => equal((await (await client.health.metrics()).text()).length > 0, true),
    'files': async () => {
      const file = await sdk.toFile(new Uint8Array([1, 2]), 'a.bin', { type: 'audio/mpeg' });
      equal([file.name, file.size, file.type].join(), 'a.bin,2,audio/mpeg');
    },
    'a client shows no key': async () => equal(JSON.stringify(client).includes('canary'), false),
  };

  const results = {};
  for (const [claim, check] of Object.entries(claims)) {
    try {
      await check();
      results[claim] = null;
    } catch (error) {
      results[claim] = String(error?.stack ?? error);
    }
  }
  return results;
}
