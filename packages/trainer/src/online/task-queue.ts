/** Runs tasks sequentially, in the order of the calls. */
export type TaskQueue = <T>(task: () => Promise<T> | T) => Promise<T>

/** Creates a sequential task queue; a failed task does not stop later tasks. */
export function createTaskQueue(): TaskQueue {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const result = last.then(task)
    last = result.catch(() => undefined)
    return result
  }
}
