import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { SemoError } from '@semo-office/core';
import { z } from 'zod';

import { openDatabase } from './open-database.ts';

/** A record that could not be read. It is skipped, and hides no other. */
export interface StoreFault {
  /** The file, the table and the row. */
  readonly place: string;
  readonly message: string;
}

/** Values for the named parameters of a statement. */
export type Values = Readonly<Record<string, SQLInputValue>>;

/** Where a document comes from, and what it has to be. */
interface DocumentKind<Schema extends z.ZodType> {
  readonly table: string;
  readonly schema: Schema;
}

const documentRow = z.object({ rowid: z.number(), document: z.string() });

/** One open file: statements, transactions, documents. Everything in it blocks, so it belongs into a thread of its own. */
export class StoreFile {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #onFault: (fault: StoreFault) => void;

  /** @throws SemoError `store_unusable`. */
  constructor(path: string, onFault: (fault: StoreFault) => void) {
    this.#path = path;
    this.#database = openDatabase(path);
    this.#onFault = onFault;
  }

  /** Runs a statement that gives nothing; returns how many rows it changed. */
  run(sql: string, values: Values = {}): number {
    return Number(this.#statement(sql).run(values).changes);
  }

  /**
   * Runs an action as one write: nobody else writes from its first reading to its end, and all of it is on disk when it
   * returns, or none of it.
   */
  write<Result>(action: () => Result): Result {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = action();
      this.#database.exec('COMMIT');
      return result;
    } catch (thrown) {
      this.#rollBack();
      throw thrown;
    }
  }

  /**
   * The documents that a statement finds, as they are needed. It must select `rowid` and `document`. One that cannot be
   * read is told of and skipped.
   */
  *documents<Schema extends z.ZodType>(
    { table, schema }: DocumentKind<Schema>,
    sql: string,
    values: Values = {},
  ): Generator<z.output<Schema>> {
    for (const row of this.#statement(sql).iterate(values)) {
      const { rowid, document } = documentRow.parse(row);
      const parsed = schema.safeParse(jsonOf(document));
      if (parsed.success) yield parsed.data;
      else
        this.#onFault({
          place: `${this.#path}, table ${table}, row ${rowid}`,
          message: `It cannot be read. ${z.prettifyError(parsed.error)}`,
        });
    }
  }

  /** Lets go of the file; what is written stays. */
  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch (thrown) {
      // After some errors SQLite has rolled back by itself, and says so.
      if (!SemoError.from(thrown).message.includes('no transaction is active')) throw thrown;
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
