/** Runs one task at a time, in the order in which they were given. */
export type Turns = <T>(task: () => Promise<T> | T) => Promise<T>

/** Makes a queue of tasks that share a state; a task that fails does not stop those after it. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result.catch(() => undefined)
    return result
  }
}
