/** A master of many programs, as a process of its own. Its plan is a JSON file of PlanOptions, which it reads again when it is updated. */
import { readFileSync } from 'node:fs';
import { compileOptions, type PlanOptions } from '../../src/master/config/options.ts';
import { noPlaces, type PlacedPlan } from '../../src/master/config/plan-places.ts';
import { planInvalid } from '../../src/master/config/plan-invalid.ts';
import { createMasterOf } from '../../src/master/master.ts';
import { messageOf } from '../../src/shared/errors.ts';

const [file = ''] = process.argv.slice(2);

function read(): PlacedPlan {
  try {
    const plan = compileOptions(JSON.parse(readFileSync(file, 'utf8')) as PlanOptions, process.cwd());
    return { plan: { ...plan, master: { ...plan.master, file } }, places: noPlaces };
  } catch (error) {
    const nowhere = { line: null, column: null, key: null, hint: null };
    throw planInvalid(file, [{ file, message: messageOf(error), ...nowhere }]);
  }
}

const master = createMasterOf(read().plan, { readPlan: () => Promise.resolve().then(read) });
process.on('SIGTERM', () => void master.stop());
await master.start();
await master.ended;
process.exit();
