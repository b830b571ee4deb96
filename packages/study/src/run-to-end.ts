import type { Observable } from 'rxjs'
import { launchHere } from './launch.js'
import type { Values } from './past-run.js'
import type { TrialReport, TrialRequest } from './run-trial.js'
import type { StudyOptions } from './study.js'

/** Progress of a run. */
export type Progressed = Extract<TrialReport, { type: 'progressed' }>

/** A run that ended. */
export interface Ended {
  /** Validation scores of the model that it keeps. */
  readonly values: Values
  /** Its scores on a test split, if it was evaluated on one. */
  readonly test?: Values
  readonly seconds: number
  /** The reason if it was stopped before its end. */
  readonly stopped: string | undefined
}

/** Runs a configuration in this process to its end, or until a reason to stop. */
export async function runToEnd(
  request: Pick<TrialRequest, 'config' | 'directory' | 'resumes'>,
  { baseDirectory = process.cwd(), searchPaths }: StudyOptions,
  stops: Observable<string>,
  onProgress: (report: Progressed) => void,
): Promise<Ended> {
  const begun = performance.now()
  const { reports, stop } = launchHere({ ...request, baseDirectory, searchPaths, acceptChanges: false, budget: 1 })
  const listening = stops.subscribe(stop)
  let [values, test, stopped]: [Values, Values | undefined, string | undefined] = [{}, undefined, undefined]
  try {
    await new Promise<void>((resolve, reject) =>
      reports.subscribe({
        next(report) {
          if (report.type === 'scored') values = report.values
          if (report.type === 'tested') test = report.values
          if (report.type === 'progressed') onProgress(report)
          if (report.type === 'ended' && report.state !== 'completed') stopped = report.because
        },
        error: reject,
        complete: resolve,
      }),
    )
  } finally {
    listening.unsubscribe()
  }
  return { values, ...(test === undefined ? {} : { test }), seconds: (performance.now() - begun) / 1000, stopped }
}
