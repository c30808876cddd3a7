import { PrismError } from './errors.js';
import { attachMetadata, type Answer, type PrismMetadata } from './metadata.js';
import { APIPromise, type Arrival } from './promise.js';

/** A list with a cursor, as the API sends it. */
export interface RawPage<T> {
  data: T[];
  next_cursor?: string | null;
}

/** One page of a list. `for await` over it goes on to the pages after it. */
export class Page<T, B extends RawPage<T> = RawPage<T>> implements AsyncIterable<T> {
  readonly data: T[];
  readonly nextCursor: string | null;
  declare readonly prism: PrismMetadata;
  readonly #body: B;
  readonly #turn: (cursor: string) => PagePromise<T, B>;

  constructor(body: B, turn: (cursor: string) => PagePromise<T, B>) {
    this.data = body.data ?? [];
    this.nextCursor = body.next_cursor || null;
    this.#body = body;
    this.#turn = turn;
  }

  /** The page as the API sent it, with what it says beside its items. */
  get body(): B {
    return this.#body;
  }

  hasNextPage(): boolean {
    return this.nextCursor !== null;
  }

  getNextPage(): PagePromise<T, B> {
    if (this.nextCursor === null) throw new PrismError('there is no next page: ask `hasNextPage()` first');
    return this.#turn(this.nextCursor);
  }

  async *iterPages(): AsyncGenerator<Page<T, B>, undefined> {
    for (let page: Page<T, B> = this; ; page = await page.getNextPage()) {
      yield page;
      if (!page.hasNextPage()) return;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    for await (const page of this.iterPages()) yield* page.data;
  }
}

/** Await it for the first page, or `for await` over it for every item of all pages. */
export class PagePromise<T, B extends RawPage<T> = RawPage<T>> extends APIPromise<Page<T, B>> implements AsyncIterable<T> {
  constructor(arrival: Promise<Arrival<B>>, turn: (cursor: string) => PagePromise<T, B>) {
    super(
      arrival.then(({ response, parse, handOver }) => ({
        response,
        parse: async (): Promise<Answer<Page<T, B>>> => attachMetadata(new Page(await parse(), turn), response.headers),
        handOver,
      })),
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    yield* await this;
  }
}
