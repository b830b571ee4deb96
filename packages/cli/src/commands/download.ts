import { download } from '@attune/hub'
import { Command } from 'commander'
import { lastValueFrom, tap } from 'rxjs'
import { showHub } from '../hub-progress.js'

interface DownloadFlags {
  readonly file?: readonly string[]
  readonly offline?: true
  readonly json?: true
}

async function act(reference: string, { file, offline, json }: DownloadFlags): Promise<void> {
  const options = { ...(file === undefined ? {} : { files: file }), ...(offline === undefined ? {} : { offline }) }
  const last = await lastValueFrom(download(reference, options).pipe(tap(showHub(process.stderr))))
  if (last.type !== 'download.completed') return
  const { folder, commit, seconds } = last
  process.stdout.write(`${json === true ? JSON.stringify({ folder, commit, seconds }) : folder}\n`)
}

/** `attune download` */
export const downloadCommand = (): Command =>
  new Command('download')
    .summary('download a model of the Hub')
    .description(
      'Downloads a model of the Hugging Face Hub into the cache that it shares with huggingface_hub (Python), and prints its folder. Resumes an interrupted download, verifies every file, and rejects pickles. A token comes from HF_TOKEN, the cache is HF_HUB_CACHE, another Hub is HF_ENDPOINT.',
    )
    .argument('<model>', 'organization/name, or organization/name@revision')
    .option('--file <path...>', 'additional files of the repository')
    .option('--offline', 'use only the cache, as HF_HUB_OFFLINE=1 does')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune download google-bert/bert-base-uncased
  npx attune download openai-community/gpt2@main --json
  npx attune generate $(npx attune download HuggingFaceTB/SmolLM2-135M) "A library that"`,
    )
    .action(act)
