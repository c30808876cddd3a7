import { PrismError } from './errors.js';

/** A stream of Node's `fs.createReadStream`, or anything else that gives bytes. */
export type Bytes = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>;

/** What can be uploaded as it is; `toFile` makes a file of the rest. */
export type Uploadable = Blob | Response | (AsyncIterable<Uint8Array | string> & { path?: unknown });

/**
 * A file to upload, with a name. It is read at once and whole: a retry sends it again.
 *
 * @param content bytes, a `Blob`, a `Response`, or a stream such as `fs.createReadStream(path)`
 * @param name the content's own name by default
 */
export async function toFile(
  content: Uploadable | Uint8Array | ArrayBuffer | string | Bytes,
  name?: string | null,
  options: { type?: string; lastModified?: number } = {},
): Promise<File> {
  const body: unknown = await content;
  const parts: BlobPart[] = [];
  let type = options.type;
  if (body instanceof Blob) {
    type ??= body.type;
    parts.push(body);
  } else if (isResponse(body)) {
    const blob = await body.blob();
    type ??= blob.type;
    parts.push(blob);
  } else if (typeof body === 'string' || body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    parts.push(body as BlobPart);
  } else if (isIterable(body)) {
    for await (const part of body) parts.push(part as BlobPart);
  } else {
    throw new PrismError('a file is bytes, a Blob, a Response or a stream of bytes');
  }
  return new File(parts, name ?? nameOf(body) ?? 'file', { ...options, ...(type ? { type } : {}) });
}

/** A multipart body. `fetch` writes its content type, which names the boundary. */
export async function toForm(members: Record<string, unknown>): Promise<FormData> {
  const form = new FormData();
  const append = async (name: string, value: unknown): Promise<void> => {
    if (value === undefined || value === null) return;
    if (value instanceof Blob) form.append(name, value, nameOf(value) ?? 'file');
    else if (value instanceof Uint8Array || isResponse(value) || isStream(value)) form.append(name, await toFile(value));
    else if (Array.isArray(value)) for (const item of value) await append(`${name}[]`, item);
    else form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  };
  for (const [name, value] of Object.entries(members)) await append(name, value);
  return form;
}

function isResponse(value: unknown): value is Response {
  return typeof (value as Response | null)?.blob === 'function' && 'url' in (value as object);
}

function isStream(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof (value as { [Symbol.asyncIterator]?: unknown } | null)?.[Symbol.asyncIterator] === 'function';
}

function isIterable(value: unknown): value is Bytes {
  return isStream(value) || typeof (value as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] === 'function';
}

/** Of a `File`, a stream's path, or a response's address. */
function nameOf(value: unknown): string | undefined {
  const { name, path, url } = value as { name?: unknown; path?: unknown; url?: unknown };
  const found = [name, path, url].find((text) => typeof text === 'string' && text !== '') as string | undefined;
  return found?.replace(/[?#].*$/, '').split(/[\\/]/).pop() || undefined;
}
