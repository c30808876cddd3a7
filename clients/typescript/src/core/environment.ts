type Globals = {
  process?: { env?: Record<string, string | undefined>; versions?: { node?: string } };
  Deno?: { env?: { get?: (name: string) => string | undefined } };
  window?: { document?: unknown };
  navigator?: unknown;
};

/** `undefined` where there is no environment, or where Deno may not read it. */
export function environment(name: string): string | undefined {
  const { process, Deno } = globalThis as Globals;
  try {
    return (Deno?.env?.get ? Deno.env.get(name) : process?.env?.[name])?.trim() || undefined;
  } catch {
    return undefined;
  }
}

export function isBrowser(): boolean {
  const { window, navigator, Deno } = globalThis as Globals;
  return window?.document !== undefined && navigator !== undefined && Deno === undefined;
}

/** Browsers give `crypto.randomUUID` to secure origins only. */
export function randomId(): string {
  if (typeof globalThis.crypto?.randomUUID === 'function') return globalThis.crypto.randomUUID();
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => Math.floor(Math.random() * 16).toString(16));
}
