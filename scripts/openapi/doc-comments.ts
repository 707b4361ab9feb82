/** Reads the doc comments of types, so that a description need not be written twice. */
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** The comment of a type or field, and those of the fields in it. */
export interface Documented {
  readonly text: string | null;
  readonly fields: ReadonlyMap<string, Documented>;
}

/** Reads every interface and type of the files, by its name; a member of a union of events, by the name of its event. */
export function readDocComments(files: readonly URL[]): ReadonlyMap<string, Documented> {
  const sources = files.map((file) =>
    ts.createSourceFile(file.pathname, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true),
  );
  const declarations = new Map<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration>();
  for (const source of sources) {
    for (const statement of source.statements) {
      if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
        declarations.set(statement.name.text, statement);
    }
  }

  function fieldsOf(node: ts.Node | undefined): ReadonlyMap<string, Documented> {
    if (node === undefined) return new Map();
    if (ts.isInterfaceDeclaration(node)) {
      const inherited = (node.heritageClauses ?? []).flatMap(({ types }) => types);
      return merge([...inherited.map(({ expression }) => named(expression)), fieldsIn(node.members)]);
    }
    if (ts.isTypeAliasDeclaration(node)) return fieldsOf(node.type);
    if (ts.isTypeLiteralNode(node)) return fieldsIn(node.members);
    if (ts.isUnionTypeNode(node) || ts.isIntersectionTypeNode(node)) return merge(node.types.map(fieldsOf));
    if (ts.isTypeOperatorNode(node) || ts.isParenthesizedTypeNode(node)) return fieldsOf(node.type);
    if (ts.isArrayTypeNode(node)) return fieldsOf(node.elementType);
    if (ts.isTypeReferenceNode(node)) return named(node.typeName);
    return new Map();
  }

  function named(name: ts.Node): ReadonlyMap<string, Documented> {
    return fieldsOf(declarations.get(name.getText()));
  }

  function fieldsIn(members: ts.NodeArray<ts.TypeElement>): ReadonlyMap<string, Documented> {
    return new Map(
      members
        .filter(ts.isPropertySignature)
        .map((member) => [member.name.getText(), { text: commentOf(member), fields: fieldsOf(member.type) }]),
    );
  }

  const documented = new Map<string, Documented>();
  for (const [name, declaration] of declarations) {
    documented.set(name, { text: commentOf(declaration), fields: fieldsOf(declaration) });
    if (!ts.isTypeAliasDeclaration(declaration) || !ts.isUnionTypeNode(declaration.type)) continue;
    for (const [member, text] of membersOf(declaration.type)) {
      const event = /\bevent: '(\w+)'/.exec(member.getText())?.[1];
      if (event !== undefined) documented.set(event, { text, fields: fieldsOf(member) });
    }
  }
  return documented;
}

function merge(maps: readonly ReadonlyMap<string, Documented>[]): ReadonlyMap<string, Documented> {
  return new Map(maps.flatMap((map) => [...map]));
}

function commentOf(node: ts.Node): string | null {
  const comment = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.comment;
  return comment === undefined ? null : oneLine(ts.getTextOfJSDocComment(comment) ?? '');
}

/** Returns the members of a union, each with the comment in front of it. TypeScript attaches no comments to them. */
function membersOf({ types }: ts.UnionTypeNode): readonly (readonly [ts.TypeNode, string | null])[] {
  return types.map((member, index) => {
    const text = member.getSourceFile().text;
    const from = types[index - 1]?.end ?? types.pos;
    const comments = ts.getLeadingCommentRanges(text, from) ?? [];
    const last = comments.at(-1);
    return [member, last === undefined ? null : withoutMarks(text.slice(last.pos, last.end))];
  });
}

function withoutMarks(comment: string): string {
  return oneLine(
    comment
      .replace(/^\/\*\*/, '')
      .replace(/\*\/$/, '')
      .replaceAll(/^\s*\*/gm, ''),
  );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
