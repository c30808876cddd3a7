/** `console`, or anything with its four methods. */
export interface Logger {
  error(message: string, ...rest: unknown[]): void;
  warn(message: string, ...rest: unknown[]): void;
  info(message: string, ...rest: unknown[]): void;
  debug(message: string, ...rest: unknown[]): void;
}

export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug';

const LEVELS: LogLevel[] = ['off', 'error', 'warn', 'info', 'debug'];

export function isLogLevel(text: string | undefined): text is LogLevel {
  return LEVELS.includes(text as LogLevel);
}

/**
 * Lines without secrets: method, address without its query, status, times and ids. Headers and bodies are never
 * logged, since both can hold keys (the control plane's bodies do).
 */
export class Log {
  readonly #level: number;
  readonly #logger: Logger;

  constructor(level: LogLevel, logger: Logger) {
    this.#level = LEVELS.indexOf(level);
    this.#logger = logger;
  }

  say(level: Exclude<LogLevel, 'off'>, line: () => string): void {
    if (LEVELS.indexOf(level) <= this.#level) this.#logger[level](`prism: ${line()}`);
  }
}
