//! Names of types as they stand in the names of operations.

/// The last part of a type's name, without its parameters: `Vec` of `alloc::vec::Vec<u8>`. Tuples,
/// references and the like are left as they are.
#[allow(dead_code)] // Not every library asks.
pub(crate) fn short_name(name: &'static str) -> &'static str {
    let plain = name.split('<').next().unwrap_or(name);
    let is_path = |text: &str| {
        let mut characters = text.chars();
        characters.all(|character| character.is_alphanumeric() || matches!(character, '_' | ':'))
    };
    match is_path(plain) {
        true => plain.rsplit("::").next().unwrap_or(plain),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::any::type_name;

    #[test]
    fn paths_and_parameters_are_left_out() {
        assert_eq!(short_name(type_name::<Vec<std::sync::Arc<u8>>>()), "Vec");
        assert_eq!(short_name(type_name::<u8>()), "u8");
        assert_eq!(
            short_name(type_name::<(u8, String)>()),
            "(u8, alloc::string::String)"
        );
        assert_eq!(short_name(type_name::<&'static str>()), "&str");
    }
}
