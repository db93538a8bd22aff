// The retry policies of activities and sub-orchestrations: the host repeats nothing that is called without one.
export interface RetryPolicy {
  readonly firstRetryIntervalInMilliseconds: number
  readonly maxNumberOfAttempts: number
  readonly backoffCoefficient: number
}

/** For work whose failures pass by themselves: a lost worker, a storage that is busy. */
export const transient: RetryPolicy = {
  firstRetryIntervalInMilliseconds: 2000,
  maxNumberOfAttempts: 5,
  backoffCoefficient: 2,
}
