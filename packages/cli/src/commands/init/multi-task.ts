import type { Example } from '@attune/core'
import { namedFields } from './config-text.js'
import { requireFields } from './detect.js'
import { recognizeRows, taskOf } from './recognize-rows.js'
import type { Task } from './task.js'
import { TASKS } from './tasks.js'

/** The task of the rows that one name marks, with the fields that it reads. */
function recognized(rows: readonly Example[], file: string) {
  const use = taskOf(recognizeRows(rows), file)
  const [task, fields] = [TASKS[use]!, requireFields(use, rows, file)]
  return { use, task, fields, texts: task.tokenizer.trainedOn.flatMap((option) => fields[option] ?? []) }
}

/**
 * Multi-task learning with the tasks that rows name in the field `by`, each recognized by its own rows. The tokenizer is trained on the texts of
 * all of them.
 * @throws AttuneError `NO_FIELDS` if no objective fits the rows of a task
 */
export function withTasks(given: Task, rows: readonly Example[], by: string, file: string): Task {
  const names = [...new Set(rows.map((row) => String(row[by])))].sort()
  const found = names.map((name) => {
    const own = rows.filter((row) => String(row[by]) === name)
    // Fields of other tasks are empty in a table, and the name of the task does not serve as a label.
    const filled = own.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([key, x]) => key !== by && x !== '')),
    )
    return { name, ...recognized(filled, file) }
  })
  const texts = [...new Set(found.flatMap((each) => each.texts))]
  return {
    ...given,
    objective: {
      tasks: Object.fromEntries(
        found.map(({ name, use, task, fields }) => [name, { use, ...namedFields(task, fields) }]),
      ),
    },
    metrics: found.flatMap(({ name, task }) => task.metrics.map((metric) => ({ use: String(metric), of: name }))),
    tokenizer: { ...given.tokenizer, options: texts.join() === 'text' ? {} : { field: texts } },
  }
}
