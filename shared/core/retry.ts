// The retry policies of activities and sub-orchestrations: the host repeats nothing that is called without one.
export interface RetryPolicy {
  readonly firstRetryIntervalInMilliseconds: number
  readonly maxNumberOfAttempts: number
  readonly backoffCoefficient: number
}

/** For work whose failures pass by themselves: a lost worker, a store that is away for up to two minutes. */
export const transient: RetryPolicy = {
  firstRetryIntervalInMilliseconds: 2000,
  maxNumberOfAttempts: 7,
  backoffCoefficient: 2,
}
