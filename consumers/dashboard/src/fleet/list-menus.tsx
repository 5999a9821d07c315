import { useRef, useState } from 'preact/hooks';
import type { Failure } from '../api/request.ts';
import type { AttributeFilter } from '../model/fleet-query.ts';
import { countText } from '../model/value-text.ts';
import { ChangeFailure } from '../parts/failure.tsx';
import { Icon } from '../parts/icon.tsx';
import { Link } from '../parts/link.tsx';
import { Menu } from '../parts/menu.tsx';
import { attributeColumns, fleetQuery, setAttributeColumns, setFleetQuery } from '../session/address.ts';
import { EXPORT_FORMATS, type ExportFormat, exportFleet } from '../session/fleet-export.ts';
import { attributeNames } from '../session/fleet-session.ts';
import { changeToView, removeView, savedViews, saveView } from '../session/saved-views.ts';

/** Which attributes the list has as columns. */
export function ColumnsMenu() {
  const chosen = attributeColumns.value;
  const names = [...new Set([...chosen, ...attributeNames.value])];
  return (
    <Menu label="Columns" icon="total" isOn={chosen.length > 0}>
      <fieldset>
        <legend>Attributes as columns</legend>
        {names.map((name) => (
          <label key={name} class="check">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) =>
                setAttributeColumns(
                  event.currentTarget.checked ? [...chosen, name] : chosen.filter((one) => one !== name),
                )
              }
            />
            {name}
          </label>
        ))}
        {names.length === 0 && <p class="muted">No device on the list has an attribute.</p>}
      </fieldset>
    </Menu>
  );
}

/** Conditions as people read them: what the API calls them, whether a value follows. */
const OPERATORS = [
  { name: 'lt', text: '<', hasValue: true },
  { name: 'le', text: '≤', hasValue: true },
  { name: 'gt', text: '>', hasValue: true },
  { name: 'ge', text: '≥', hasValue: true },
  { name: 'eq', text: '=', hasValue: true },
  { name: 'ne', text: '≠', hasValue: true },
  { name: 'in', text: 'one of', hasValue: true },
  { name: 'exists:true', text: 'is set', hasValue: false },
  { name: 'exists:false', text: 'is not set', hasValue: false },
] as const;

function filterText({ name, condition }: AttributeFilter): string {
  const operator = OPERATORS.find((one) =>
    one.hasValue ? condition.startsWith(`${one.name}:`) : condition === one.name,
  );
  if (operator === undefined) return `${name} = ${condition}`;
  return operator.hasValue
    ? `${name} ${operator.text} ${condition.slice(operator.name.length + 1)}`
    : `${name} ${operator.text}`;
}

function setFilters(filters: readonly AttributeFilter[]): void {
  const { attributes: _before, ...rest } = fleetQuery.peek();
  setFleetQuery(filters.length === 0 ? rest : { ...rest, attributes: filters });
}

/** The conditions on attributes, each of which a click takes away. */
export function AttributeChips() {
  const { attributes = [] } = fleetQuery.value;
  return (
    <>
      {attributes.map((filter) => (
        <button
          key={`${filter.name} ${filter.condition}`}
          type="button"
          class="button is-accent"
          aria-label={`${filterText(filter)}: take it away`}
          onClick={() => setFilters(attributes.filter((one) => one !== filter))}
        >
          {filterText(filter)}
          <Icon name="close" />
        </button>
      ))}
    </>
  );
}

/** Adds a condition on an attribute. */
export function AttributeFilterMenu() {
  const [name, setName] = useState('');
  const [operator, setOperator] = useState<(typeof OPERATORS)[number]>(OPERATORS[0]);
  const [value, setValue] = useState('');
  const { attributes = [] } = fleetQuery.value;
  return (
    <Menu label="Attribute filter" icon="search" isOn={attributes.length > 0}>
      <form
        class="menu-form"
        aria-label="Attribute filter"
        onSubmit={(event) => {
          event.preventDefault();
          const condition = operator.hasValue ? `${operator.name}:${value}` : operator.name;
          setFilters([...attributes, { name, condition }]);
          setValue('');
        }}
      >
        <datalist id="list-attributes">
          {attributeNames.value.map((known) => (
            <option key={known} value={known} />
          ))}
        </datalist>
        <input
          class="input"
          aria-label="Attribute"
          placeholder="Attribute"
          list="list-attributes"
          required
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <select
          class="input"
          aria-label="Condition"
          value={operator.name}
          onChange={(event) => {
            const { value: chosen } = event.currentTarget;
            setOperator(OPERATORS.find((one) => one.name === chosen) ?? OPERATORS[0]);
          }}
        >
          {OPERATORS.map(({ name: key, text }) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
        {operator.hasValue && (
          <input
            class="input"
            aria-label="Value"
            placeholder={operator.name === 'in' ? 'open,ajar' : '20'}
            required
            autocomplete="off"
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        )}
        <button type="submit" class="button is-accent">
          Filter
        </button>
      </form>
    </Menu>
  );
}

/** Filters, order and columns under a name, kept in this browser. The address holds them, too, for others. */
export function ViewsMenu() {
  const field = useRef<HTMLInputElement>(null);
  const views = savedViews.value;
  return (
    <Menu label="Views" icon="archive">
      <ul class="menu-list" aria-label="Saved views">
        {views.map((view) => (
          <li key={view.name}>
            <Link to={changeToView(view)}>{view.name}</Link>
            <button
              type="button"
              class="button is-quiet is-icon"
              aria-label={`Forget the view ${view.name}`}
              onClick={() => removeView(view.name)}
            >
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      {views.length === 0 && <p class="muted">No view is saved in this browser.</p>}
      <form
        class="menu-form"
        aria-label="Save this view"
        onSubmit={(event) => {
          event.preventDefault();
          const name = field.current?.value.trim() ?? '';
          if (field.current === null || name === '') return;
          saveView(name);
          field.current.value = '';
        }}
      >
        <input
          ref={field}
          class="input"
          aria-label="Name of the view"
          placeholder="Name"
          required
          maxLength={80}
        />
        <button type="submit" class="button">
          Save this view
        </button>
      </form>
    </Menu>
  );
}

/** Saves the list as it is filtered and sorted to a file. */
export function ExportMenu() {
  const [progress, setProgress] = useState<number>();
  const [failure, setFailure] = useState<Failure>();
  const save = async (format: ExportFormat): Promise<void> => {
    setFailure(undefined);
    setProgress(0);
    setFailure(await exportFleet(fleetQuery.peek(), format, setProgress));
    setProgress(undefined);
  };
  return (
    <Menu label="Export" icon="down">
      <div class="menu-form">
        {EXPORT_FORMATS.map((format) => (
          <button
            key={format.ending}
            type="button"
            class="button"
            disabled={progress !== undefined}
            onClick={() => void save(format)}
          >
            {format.title}
          </button>
        ))}
      </div>
      <p class="muted" role="status">
        {progress === undefined
          ? 'All devices of this filter, in this order.'
          : `${countText(progress)} devices read`}
      </p>
      <ChangeFailure failure={failure} />
    </Menu>
  );
}
