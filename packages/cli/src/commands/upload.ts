import { upload } from '@attune/hub'
import { Command } from 'commander'
import { lastValueFrom, tap } from 'rxjs'
import { checkedCommit, showHub } from '../hub-progress.js'

interface UploadFlags {
  readonly public?: true
  readonly over?: string
  readonly message?: string
  readonly json?: true
}

async function act(folder: string, reference: string, { json, ...options }: UploadFlags): Promise<void> {
  const last = await lastValueFrom(upload(folder, reference, options).pipe(tap(showHub(process.stderr))))
  if (last.type !== 'upload.completed') return
  const { url, commit, changed } = last
  const text = changed ? `${url} is at commit ${commit}` : `${url} has all of it already, at commit ${commit}`
  process.stdout.write(`${json === true ? JSON.stringify({ url, commit, changed }) : text}\n`)
}

/** `attune upload` */
export const uploadCommand = (): Command =>
  new Command('upload')
    .summary('upload a model to the Hub')
    .description(
      'Uploads the folder of a trained model or adapter, with its card, to the Hugging Face Hub as one commit. A missing repository is created as private. Nothing is replaced unless --over names the commit that it is in. The token comes from HF_TOKEN.',
    )
    .argument('<folder>', 'folder of the model: RUN/model')
    .argument('<model>', 'organization/name, or organization/name@branch')
    .option('--public', 'create the repository as public')
    .option('--over <commit>', 'replace the files of this commit', checkedCommit)
    .option('--message <text>', 'commit message')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  npx attune upload runs/debian-sections/model me/debian-sections
  npx attune upload runs/debian-sections/model me/debian-sections --public`,
    )
    .action(act)
