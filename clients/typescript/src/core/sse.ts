import { PrismError } from './errors.js';

export interface ServerSentEvent {
  event: string | null;
  data: string;
  id: string | null;
}

/** Characters of one event: far above a picture in base64, far below what ends a process. */
const MAX_EVENT = 128 * 1024 * 1024;

/** Reads `text/event-stream` however it is cut into pieces: LF, CR and CRLF, comments, data over several lines. */
export class SSEDecoder {
  readonly #utf8 = new TextDecoder();
  /** The unfinished line. Pieces are joined once, so that a long line costs no more than its length. */
  #line: string[] = [];
  #afterCR = false;
  #data: string | null = null;
  #event: string | null = null;
  #id: string | null = null;
  #size = 0;

  /** The events that this piece completes. */
  push(piece: Uint8Array): ServerSentEvent[] {
    return this.#read(this.#utf8.decode(piece, { stream: true }));
  }

  /** What is left when the body ends: an event without its blank line. */
  end(): ServerSentEvent[] {
    return this.#read(this.#utf8.decode() + '\n\n');
  }

  #read(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    if (text === '') return events;
    if (this.#afterCR && text.charCodeAt(0) === 10) text = text.slice(1);
    this.#afterCR = text === '' ? false : text.charCodeAt(text.length - 1) === 13;
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      let line = text.slice(start, end);
      if (this.#line.length > 0) {
        line = this.#line.join('') + line;
        this.#line = [];
      }
      start = end + 1;
      if (line === '') this.#dispatch(events);
      else this.#field(line);
    }
    if (start < text.length) {
      this.#line.push(start === 0 ? text : text.slice(start));
      this.#grow(text.length - start);
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (name === 'data') {
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
      this.#grow(value.length);
    } else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
  }

  #dispatch(events: ServerSentEvent[]): void {
    if (this.#data !== null) events.push({ event: this.#event, data: this.#data, id: this.#id });
    this.#data = this.#event = null;
    this.#size = 0;
  }

  #grow(by: number): void {
    this.#size += by;
    if (this.#size > MAX_EVENT) throw new PrismError(`an event of the stream is longer than ${MAX_EVENT} characters`);
  }
}
