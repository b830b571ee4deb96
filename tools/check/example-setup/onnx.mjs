// @ts-check
/** Prepares the folder of the exporter's examples: `runs/topics`, a run. */
import './trainer.mjs'
