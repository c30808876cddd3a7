const LONGEST_WAIT = 60_000;

export function isRetryable(response: Response): boolean {
  const hint = response.headers.get('x-should-retry');
  if (hint === 'true' || hint === 'false') return hint === 'true';
  const { status } = response;
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

/** Milliseconds until the next attempt: what the server asks for, or 0.5 s doubled each time up to 8 s, less up to a quarter. */
export function delay(attempt: number, headers: Headers | undefined): number {
  const asked = headers ? retryAfter(headers) : null;
  if (asked !== null) return Math.min(asked, LONGEST_WAIT);
  return Math.min(500 * 2 ** attempt, 8_000) * (1 - Math.random() / 4);
}

function retryAfter(headers: Headers): number | null {
  const milliseconds = headers.get('retry-after-ms');
  if (milliseconds && Number(milliseconds) >= 0) return Number(milliseconds);
  const text = headers.get('retry-after');
  if (!text) return null;
  const wait = Number.isNaN(Number(text)) ? Date.parse(text) - Date.now() : Number(text) * 1000;
  return Number.isNaN(wait) ? null : Math.max(wait, 0);
}

/** Ends early when the signal is aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
