import { type ErrorCode, isOperatingError, isSystemError } from '../../core/errors.ts';

/** What the API answers besides the product's own errors. */
export type ApiErrorCode =
  | ErrorCode
  | 'bad-request'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'too-many-readers'
  | 'too-many-requests'
  | 'too-many-attempts'
  | 'wrong-password'
  | 'wrong-code'
  | 'already-claimed'
  | 'unclaimed'
  | 'password-unusable'
  | 'unknown-alert'
  | 'ambiguous-alert'
  | 'anomaly-off';

/** A request that cannot be served, with the answer for it. */
export class ApiError extends Error {
  readonly code: ApiErrorCode;
  /** When the same may be tried again; null if that is not a matter of time. */
  readonly retryAfterMs: number | null;
  override readonly name = 'ApiError';

  constructor(code: ApiErrorCode, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** An error as the API answers it. */
export interface ErrorAnswer {
  readonly status: number;
  /** When the same may be tried again; null if that is not a matter of time. */
  readonly retryAfterMs: number | null;
  readonly body: { readonly error: { readonly code: string; readonly message: string } };
}

const statusOf: Partial<Record<ApiErrorCode, number>> = {
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'unknown-topic': 404,
  'topic-exists': 409,
  'unknown-user': 404,
  'user-exists': 409,
  'unknown-alert': 404,
  'ambiguous-alert': 409,
  'anomaly-off': 409,
  'topic-configured': 409,
  'topic-in-use': 409,
  'record-too-large': 413,
  'too-many-readers': 429,
  'too-many-requests': 429,
  'too-many-attempts': 429,
  'wrong-password': 401,
  'wrong-code': 401,
  'already-claimed': 409,
  unclaimed: 409,
  'password-unusable': 409,
  'log-unavailable': 503,
  'log-overloaded': 503,
};
const BAD_REQUEST = 400;
const INTERNAL = 500;

/** The answer for an error that is the caller's or the world's; null for a bug of ours. */
export function answerFor(error: unknown): ErrorAnswer | null {
  if (error instanceof ApiError || isOperatingError(error)) {
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs : null;
    return { ...answer(statusOf[error.code] ?? BAD_REQUEST, error.code, error.message), retryAfterMs };
  }
  if (!(error instanceof Error)) return null;
  // The HTTP library's own refusals: not JSON, too large, not the announced length …
  if ('statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < INTERNAL) {
    return answer(error.statusCode, 'bad-request', error.message);
  }
  if (isSystemError(error)) return answer(INTERNAL, 'system-error', error.message);
  return null;
}

const answer = (status: number, code: string, message: string): ErrorAnswer => ({
  status,
  retryAfterMs: null,
  body: { error: { code, message } },
});

/** A bug of ours: it ends the process, past every handler, so that the normal start recovers. */
export function crash(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
