import type { Failure } from '../cluster/target.ts';
import { type KafkaCall, kafkaFailure } from './kafka-failure.ts';
import { LinkError } from './link-trouble.ts';

/** Thrown to leave a call of the target; {@link attempt} turns it into the call's result. */
export class Refusal extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Does the work; what the cluster refused, or that the link failed, is the result. Other errors are bugs. */
export async function attempt(work: () => Promise<void>): Promise<Failure | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.failure;
    if (error instanceof LinkError)
      return {
        kind: error.trouble === 'login' ? 'unauthenticated' : 'unreachable',
        cause: error.trouble,
        message: error.message,
      };
    throw error;
  }
}

/** @throws Refusal for any code but 0 */
export function check(call: KafkaCall, code: number, about: string): void {
  if (code !== 0) throw new Refusal(kafkaFailure(call, code, about));
}
