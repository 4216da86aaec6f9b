"""The stubs have the names and parameters that the package has, and everything there is documented."""

import ast
import inspect
import pathlib

import strait

STUB = pathlib.Path(__file__).parent.parent / "python" / "strait" / "__init__.pyi"
TREE = ast.parse(STUB.read_text())


def public(names):
    return {name for name in names if not name.startswith("_")}


def parameters(function):
    """Names, kinds and whether there is a default, without `self`."""
    listed = [
        (parameter.name, parameter.kind, parameter.default is not parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
    ]
    return [parameter for parameter in listed if parameter[0] not in ("self", "cls")]


def stubbed(function):
    kinds = inspect.Parameter
    usual = function.args.args
    defaults = [False] * (len(usual) - len(function.args.defaults)) + [True] * len(function.args.defaults)
    listed = [(arg.arg, kinds.POSITIONAL_OR_KEYWORD, has) for arg, has in zip(usual, defaults)]
    listed += [
        (arg.arg, kinds.KEYWORD_ONLY, default is not None)
        for arg, default in zip(function.args.kwonlyargs, function.args.kw_defaults)
    ]
    return [parameter for parameter in listed if parameter[0] not in ("self", "cls")]


def test_the_names_are_the_same():
    names = set()
    for node in TREE.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
    assert public(names) == set(strait.__all__)


def test_functions_and_methods_are_the_same():
    for node in TREE.body:
        if isinstance(node, ast.FunctionDef):
            made = getattr(strait, node.name)
            assert parameters(made) == stubbed(node), node.name
            assert made.__doc__, node.name
        if not isinstance(node, ast.ClassDef):
            continue
        made = getattr(strait, node.name)
        assert made.__doc__, node.name
        if issubclass(made, Exception):
            bases = tuple(base.id for base in node.bases)
            assert tuple(base.__name__ for base in made.__bases__) == bases
            continue
        members = {member.name: member for member in node.body if isinstance(member, ast.FunctionDef)}
        attributes = {member.target.id for member in node.body if isinstance(member, ast.AnnAssign)}
        assert public(members) | attributes == public(vars(made)) | attributes, node.name
        for name in public(members):
            found = inspect.getattr_static(made, name)
            if name == "value" and node.name == "Lock" or inspect.isdatadescriptor(found):
                assert found.__doc__, (node.name, name)
                continue
            assert parameters(getattr(made, name)) == stubbed(members[name]), (node.name, name)
            assert found.__doc__ or getattr(made, name).__doc__, (node.name, name)


def test_the_readmes_programs_run(name):
    readme = (STUB.parents[2] / "README.md").read_text()
    programs = [part.split("```")[0] for part in readme.split("```python\n")[1:]]
    assert len(programs) == 2
    program = programs[0].replace('"arm"', repr(name))
    environment = {}
    exec(compile(program, "README.md", "exec"), environment)
    region, torque = environment["region"], environment["Torque"]
    assert region.typed_consumer("torque", torque).try_recv() == torque(2, 0.5)
    compile(programs[1], "README.md", "exec")
